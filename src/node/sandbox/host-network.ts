import type { PodNetwork } from "./sandbox.ts";

/** The node's own network: there is nothing to make, and nothing that is the pod's alone. */
export function hostNetwork(nodeAddresses: readonly string[]): PodNetwork {
  return {
    plan: () => ({ network: "host", addresses: nodeAddresses }),
    hold: () => {},
    isThere: () => Promise.resolve(true),
    make: () => Promise.resolve(),
    remove: () => Promise.resolve(),
    release: () => {},
  };
}
