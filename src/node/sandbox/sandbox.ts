/** The network of a pod, as its record keeps it. */
export type Sandbox = OwnSandbox | HostSandbox | SharedSandbox;

/** A namespace of its own, and a routed pair of links with no bridge between. */
export interface OwnSandbox {
  readonly network: "own";
  /** Under /run/netns. */
  readonly namespace: string;
  /** The node's end of the pair; the pod's end is `eth0`. */
  readonly link: string;
  readonly podMac: string;
  readonly nodeMac: string;
  readonly addresses: readonly string[];
}

/** The node's own network (`hostNetwork`). */
export interface HostSandbox {
  readonly network: "host";
  /** Those of the node. */
  readonly addresses: readonly string[];
}

/** Addresses of its own in a namespace that all such pods share: for runtimes without programs. */
export interface SharedSandbox {
  readonly network: "shared";
  /** Under /run/netns. */
  readonly namespace: string;
  readonly addresses: readonly string[];
}

/** One way for pods to have a network. */
export interface PodNetwork {
  /** What a pod of this uid is to have; nothing is made yet. Throws when the addresses are used up. */
  plan(uid: string): Sandbox;
  /** Marks the addresses of an adopted pod as taken. */
  hold(sandbox: Sandbox): void;
  /** True when it is there whole; a try cut short is not taken for one. */
  isThere(sandbox: Sandbox): Promise<boolean>;
  make(sandbox: Sandbox): Promise<void>;
  /** Takes away what is there. The addresses stay taken until `release`. */
  remove(sandbox: Sandbox): Promise<void>;
  release(sandbox: Sandbox): void;
}

/** The path of the namespace a program of the pod enters; undefined where that is the node's own. */
export const namespacePath = (sandbox: Sandbox): string | undefined =>
  sandbox.network === "host" ? undefined : `/run/netns/${sandbox.namespace}`;
