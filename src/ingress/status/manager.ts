import type { Ingress } from "../../api/generated/types.ts";

/** Who it was, in `metadata.managedFields`, that wrote a status. */
export const MANAGER = "fairlead-ingress";

/** Forgets who wrote what, which needs more memory than an Ingress itself, but for whether its status is ours. */
export function keepOwnManager(ingress: Ingress): void {
  const own = ingress.metadata.managedFields?.find(
    ({ manager, subresource }) => manager === MANAGER && subresource === "status",
  );
  ingress.metadata.managedFields = own === undefined ? undefined : [{ manager: MANAGER, subresource: "status" }];
}

/** Whether what the status says was written by us, now or in an earlier life. */
export const isOurStatus = ({ metadata }: Ingress): boolean => (metadata.managedFields ?? []).length > 0;
