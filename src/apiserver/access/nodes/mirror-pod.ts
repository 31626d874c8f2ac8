import type { Pod } from "../../../api/generated/types.ts";

/** By this annotation a node says that a pod only shows what it runs of its own accord. */
export const MIRROR_POD = "kubernetes.io/config.mirror";

export const isMirrorPod = ({ metadata }: Pod): boolean => Object.hasOwn(metadata.annotations ?? {}, MIRROR_POD);
