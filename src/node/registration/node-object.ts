import type { Node, NodeStatus } from "../../api/generated/types.ts";

export interface NodeFacts {
  readonly nodeName: string;
  /** IPv4 first. */
  readonly nodeAddresses: readonly string[];
  readonly podRanges: readonly string[];
  /** Resource name → quantity: `cpu`, `memory`, `pods`. */
  readonly capacity: Readonly<Record<string, string>>;
  readonly architecture: string;
  readonly kernelVersion: string;
  readonly osImage: string;
  readonly machineID: string;
  readonly bootID: string;
  readonly version: string;
  readonly runtime: string;
  /** Why containers are not held to their limits; undefined: they are. */
  readonly limits?: string | undefined;
}

/** Kubernetes says architectures with Go's names. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386", arm: "arm", arm64: "arm64" };

/** The labels that every Node has. */
export function nodeLabels(facts: NodeFacts): Record<string, string> {
  const architecture = ARCHITECTURES[facts.architecture] ?? facts.architecture;
  return {
    "kubernetes.io/hostname": facts.nodeName,
    "kubernetes.io/os": "linux",
    "kubernetes.io/arch": architecture,
    "beta.kubernetes.io/os": "linux",
    "beta.kubernetes.io/arch": architecture,
  };
}

/** The status of this node: it is ready as long as it says so. `since` and `now` are RFC 3339. */
export function nodeStatus(facts: NodeFacts, since: string, now: string): NodeStatus {
  const condition = (type: string, status: string, reason: string, message: string) => ({
    type,
    status,
    reason,
    message,
    lastHeartbeatTime: now,
    lastTransitionTime: since,
  });
  return {
    addresses: [
      ...facts.nodeAddresses.map((address) => ({ type: "InternalIP", address })),
      { type: "Hostname", address: facts.nodeName },
    ],
    capacity: { ...facts.capacity },
    allocatable: { ...facts.capacity },
    conditions: [
      condition("MemoryPressure", "False", "KubeletHasSufficientMemory", "the node does not watch its memory"),
      condition("DiskPressure", "False", "KubeletHasNoDiskPressure", "the node does not watch its disk"),
      condition("PIDPressure", "False", "KubeletHasSufficientPID", "the node does not watch its process ids"),
      facts.limits === undefined
        ? condition("LimitsEnforced", "True", "CgroupWritable", "containers are held to their limits by cgroups")
        : condition("LimitsEnforced", "False", "NoWritableCgroup", facts.limits),
      condition("Ready", "True", "KubeletReady", "the node runs pods"),
    ],
    nodeInfo: {
      architecture: ARCHITECTURES[facts.architecture] ?? facts.architecture,
      bootID: facts.bootID,
      containerRuntimeVersion: `${facts.runtime}://${facts.version}`,
      kernelVersion: facts.kernelVersion,
      kubeProxyVersion: facts.version,
      kubeletVersion: facts.version,
      machineID: facts.machineID,
      operatingSystem: "linux",
      osImage: facts.osImage,
      systemUUID: facts.machineID,
    },
  };
}

/** The Node as it is created. */
export const nodeObject = (facts: NodeFacts, status: NodeStatus): Node => ({
  apiVersion: "v1",
  kind: "Node",
  metadata: { name: facts.nodeName, labels: nodeLabels(facts) },
  spec: facts.podRanges[0] === undefined ? {} : { podCIDR: facts.podRanges[0], podCIDRs: [...facts.podRanges] },
  status,
});
