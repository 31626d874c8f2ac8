import type { Endpoints } from "../../api/generated/types.ts";

/** CTL-066, CTL-083: whether old clients elect their leader with these Endpoints, which then belong to no Service. */
export const isForLeaders = ({ metadata }: Endpoints): boolean =>
  metadata.annotations?.["control-plane.alpha.kubernetes.io/leader"] !== undefined;
