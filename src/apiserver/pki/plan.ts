/** Names a server answers to. */
export interface ServerNames {
  readonly dns: readonly string[];
  readonly ips: readonly string[];
}

/** A certificate that the authority signs: what it says, and where it lies. */
export interface Leaf {
  /** File name without `.crt` and `.key`. */
  readonly file: string;
  readonly commonName: string;
  /** Kubernetes reads it as the group of the user. */
  readonly organization?: string;
  /** A server's certificate must not open a door as a client's, nor the other way round. */
  readonly use: "server" | "client";
  readonly names: ServerNames;
}

/** The user whom alone the node endpoint serves: the API server. */
export const NODE_CLIENT_NAME = "kube-apiserver-kubelet-client";

const HOUR = 3_600_000;
export const DAY = 24 * HOUR;
export const CA_LIFE = 3650 * DAY;
export const LEAF_LIFE = 365 * DAY;
/** A leaf with less than this left is issued anew. */
export const RENEW_BEFORE = 30 * DAY;
/** Certificates begin this much in the past, for clients whose clocks are behind. */
export const BACKDATE = HOUR;

const NO_NAMES: ServerNames = { dns: [], ips: [] };

const withLoopback = (names: ServerNames): ServerNames => ({
  dns: [...new Set(["localhost", ...names.dns])],
  ips: [...new Set(["127.0.0.1", "::1", ...names.ips])],
});

/** Every certificate there must be for a server of these names and the node beside it, which is asked for by its own name however it is reached. */
export function planLeaves(names: ServerNames, nodeName: string) {
  const all = withLoopback(names);
  return {
    apiserver: { file: "apiserver", commonName: "kube-apiserver", use: "server", names: all },
    node: {
      file: "node",
      commonName: `system:node:${nodeName}`,
      organization: "system:nodes",
      use: "server",
      names: { dns: [...new Set([nodeName, "localhost"])], ips: all.ips },
    },
    admin: {
      file: "admin",
      commonName: "kubernetes-admin",
      organization: "system:masters",
      use: "client",
      names: NO_NAMES,
    },
    parts: {
      file: "parts",
      commonName: "system:fairlead",
      organization: "system:masters",
      use: "client",
      names: NO_NAMES,
    },
    nodePart: {
      file: "part-node",
      commonName: `system:node:${nodeName}`,
      organization: "system:nodes",
      use: "client",
      names: NO_NAMES,
    },
    proxyPart: { file: "part-proxy", commonName: "system:kube-proxy", use: "client", names: NO_NAMES },
    dnsPart: { file: "part-dns", commonName: "system:fairlead:dns", use: "client", names: NO_NAMES },
    ingressPart: { file: "part-ingress", commonName: "system:fairlead:ingress", use: "client", names: NO_NAMES },
    nodeClient: { file: "node-client", commonName: NODE_CLIENT_NAME, use: "client", names: NO_NAMES },
  } as const satisfies Record<string, Leaf>;
}

export type LeafName = keyof ReturnType<typeof planLeaves>;

/** The DNS names of `default/kubernetes`: `kubernetes`, and all longer forms up to the cluster's zone. */
export const kubernetesNames = (zone: string): string[] => [
  "kubernetes",
  "kubernetes.default",
  "kubernetes.default.svc",
  `kubernetes.default.svc.${zone}`,
];
