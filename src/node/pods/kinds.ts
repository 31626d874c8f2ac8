import type { Container, Pod } from "../../api/generated/types.ts";

/** An init container ends before the next begins; a sidecar (KEP-753) begins among them, and runs beside the main ones. */
export type ContainerKind = "init" | "sidecar" | "main";

export interface KnownContainer {
  readonly container: Container;
  readonly kind: ContainerKind;
}

/** All containers of a pod in the order they start. */
export const containersOf = (pod: Pod): KnownContainer[] => [
  ...(pod.spec?.initContainers ?? []).map((container): KnownContainer => {
    return { container, kind: container.restartPolicy === "Always" ? "sidecar" : "init" };
  }),
  ...(pod.spec?.containers ?? []).map((container): KnownContainer => ({ container, kind: "main" })),
];
