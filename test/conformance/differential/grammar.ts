import * as fc from "fast-check";

/** One thing that is done to one Service. */
export interface Step {
  readonly action: "create" | "replace" | "modify" | "patch" | "status" | "delete" | "dryCreate" | "dryReplace";
  readonly name: string;
  readonly spec: Readonly<Record<string, unknown>>;
  readonly annotations: Readonly<Record<string, string>> | undefined;
  readonly ingress: readonly unknown[];
}

/** Mostly absent: every field has its turn, and few of them are there at once. */
const rarely = <T>(arbitrary: fc.Arbitrary<T>, absent = 4): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: absent, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });
const oneOf = <T>(...values: T[]): fc.Arbitrary<T> => fc.constantFrom(...values);

/** Addresses and ports that are asked for by name lie where automatic allocation does not look before all else is full. */
const IPS = ["10.96.0.10", "10.96.0.11", "fd00:10:96::10", "fd00:10:96::11"];
const NODE_PORTS = [30_000, 30_001, 30_002];

const type = oneOf<string | undefined>(
  ..."ClusterIP ClusterIP NodePort NodePort NodePort LoadBalancer LoadBalancer LoadBalancer ExternalName ExternalName Bogus".split(
    " ",
  ),
  undefined,
);
const strangeIP = oneOf(
  "10.97.0.1",
  "10.96.0.0",
  "10.96.255.255",
  "none",
  "x",
  "",
  "010.96.0.10",
  "FD00:10:96::0010",
  "::ffff:10.96.0.10",
);
const clusterIP = fc.oneof(
  { weight: 6, arbitrary: oneOf(...IPS) },
  { weight: 4, arbitrary: fc.constant("None") },
  { weight: 2, arbitrary: strangeIP },
);
const addresses = fc.oneof(
  { weight: 8, arbitrary: fc.record({ clusterIP }) },
  {
    weight: 4,
    arbitrary: oneOf(
      ["10.96.0.10", "fd00:10:96::10"],
      ["fd00:10:96::10", "10.96.0.10"],
      ["10.96.0.11"],
      ["fd00:10:96::11"],
      ["None"],
    ).map((clusterIPs) => ({ clusterIP: clusterIPs[0], clusterIPs })),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      clusterIP: rarely(clusterIP, 1),
      clusterIPs: fc.array(clusterIP, { maxLength: 3 }),
    }),
  },
);
const families = oneOf<string[]>(
  ["IPv4"],
  ["IPv6"],
  ["IPv4", "IPv6"],
  ["IPv6", "IPv4"],
  ["IPv4", "IPv4"],
  ["IPv5"],
  [],
);
const port = fc.record({
  name: oneOf<string | undefined>("a", "b", "c", "c", undefined, "Bad_", ""),
  port: oneOf(80, 80, 53, 53, 443, 8080, 0, 70_000),
  protocol: oneOf<string | undefined>(undefined, undefined, "TCP", "UDP", "SCTP", "tcp"),
  targetPort: rarely(oneOf<number | string>(8080, "http", 0, "", 70_000, "Bad--", "-1-", "a-very-long-name")),
  nodePort: rarely(oneOf<number>(...NODE_PORTS, ...NODE_PORTS, 0, 80, -1, 70_000), 2),
  appProtocol: rarely(oneOf("http", "example.com/x", "", "a/b/c", "-"), 8),
});
const cleanPort = (index: number): fc.Arbitrary<GivenPort> =>
  fc.record({
    name: fc.constant(["a", "b", "c"][index]),
    port: oneOf(80, 80, 53, 443, 8080),
    protocol: oneOf<string | undefined>(undefined, undefined, "UDP", "SCTP"),
    nodePort: rarely(oneOf<number>(...NODE_PORTS), 3),
  });
const ports = fc.oneof(
  { weight: 5, arbitrary: fc.tuple(cleanPort(0)) },
  { weight: 4, arbitrary: fc.tuple(cleanPort(0), cleanPort(1)) },
  { weight: 2, arbitrary: fc.tuple(cleanPort(0), cleanPort(1), cleanPort(2)) },
  { weight: 3, arbitrary: fc.array(port, { maxLength: 3 }) },
);
const someAddresses = oneOf(
  "1.2.3.4",
  "127.0.0.1",
  "0.0.0.0",
  "169.254.1.1",
  "224.0.0.5",
  "::1",
  "ff02::1",
  "x",
  "01.2.3.4",
  "::ffff:1.2.3.4",
  "2001:DB8::1",
);

/** What of a spec may be written: valid most of the time, so that sequences get somewhere. */
const fields = fc.record({
  type,
  ports: rarely(ports, 1),
  ipFamilies: rarely(families, 5),
  ipFamilyPolicy: rarely(
    oneOf("SingleStack", "PreferDualStack", "RequireDualStack", "PreferDualStack", "RequireDualStack", "Bogus"),
    2,
  ),
  selector: rarely(oneOf<object>({ app: "a" }, {}, { "a/b/c": "d" }, { a: "-" }), 2),
  externalName: rarely(oneOf("example.com", "example.com.", ".", "", "1.2.3.4", "Bad_"), 2),
  externalIPs: rarely(fc.array(someAddresses, { minLength: 1, maxLength: 2 }), 7),
  sessionAffinity: rarely(oneOf("ClientIP", "ClientIP", "None", "Bogus"), 6),
  sessionAffinityConfig: rarely(
    oneOf<object>(
      {},
      { clientIP: {} },
      { clientIP: { timeoutSeconds: 5 } },
      { clientIP: { timeoutSeconds: 0 } },
      { clientIP: { timeoutSeconds: 86_401 } },
    ),
    6,
  ),
  externalTrafficPolicy: rarely(oneOf("Local", "Local", "Cluster", "Bogus", ""), 3),
  internalTrafficPolicy: rarely(oneOf("Local", "Cluster", "Bogus", ""), 8),
  healthCheckNodePort: rarely(oneOf(...NODE_PORTS, 0, 80, -1, 70_000), 5),
  allocateLoadBalancerNodePorts: rarely(fc.boolean(), 4),
  loadBalancerClass: rarely(oneOf("example.com/class", "x", "", "-"), 7),
  loadBalancerIP: rarely(oneOf("1.2.3.4", "x", "01.2.3.4"), 10),
  loadBalancerSourceRanges: rarely(
    fc.array(
      oneOf(
        "10.0.0.0/8",
        " 11.0.0.0/8 ",
        "10.0.0.1/8",
        "x",
        "010.0.0.0/8",
        "10.0.0.0/08",
        "::ffff:1.0.0.0/104",
        "2001:DB8::/32",
      ),
      { maxLength: 2 },
    ),
    8,
  ),
  trafficDistribution: rarely(oneOf("PreferClose", "PreferSameZone", "PreferSameNode", "Bogus", ""), 8),
  publishNotReadyAddresses: rarely(fc.boolean(), 8),
});
/** A spec that is right by itself; whether it can follow what is there is another matter. */
const plain = fc
  .record({
    type: oneOf("ClusterIP", "NodePort", "LoadBalancer", "LoadBalancer", "ExternalName"),
    port: fc.tuple(cleanPort(0), rarely(cleanPort(1), 2), rarely(cleanPort(2), 4)),
    policy: rarely(oneOf("SingleStack", "PreferDualStack", "RequireDualStack"), 1),
    families: rarely(oneOf(["IPv4"], ["IPv6"]), 3),
    clusterIP: rarely(oneOf("None", "None", ...IPS), 2),
    external: rarely(oneOf("Local", "Cluster"), 1),
    healthCheckNodePort: rarely(oneOf(...NODE_PORTS), 5),
    allocate: rarely(fc.boolean(), 2),
    externalIPs: rarely(oneOf(["1.2.3.4"], ["2001:DB8::1", "1.2.3.5"]), 6),
    selector: rarely(oneOf<object>({ app: "a" }, { app: "b" }), 1),
    affinity: rarely(oneOf("ClientIP", "None"), 4),
    loadBalancerClass: rarely(oneOf("example.com/class", "x"), 8),
    ranges: rarely(oneOf(["10.0.0.0/8"], [" 11.0.0.0/8 "]), 8),
    distribution: rarely(oneOf("PreferClose", "PreferSameZone"), 6),
  })
  .map((given) => {
    const { type: kind, policy, families: ipFamilies, allocate } = given;
    const common = {
      type: kind,
      ports: uniquePorts(given.port, kind),
      selector: given.selector,
      sessionAffinity: given.affinity,
      externalIPs: given.externalIPs,
      trafficDistribution: given.distribution,
    };
    if (kind === "ExternalName") return { ...common, externalName: "example.com" };
    const isBalanced = kind === "LoadBalancer";
    const isLocal = given.external === "Local";
    return {
      ...common,
      ...(kind !== "ClusterIP" && given.clusterIP === "None" ? {} : { clusterIP: given.clusterIP }),
      ipFamilyPolicy: policy,
      ipFamilies,
      ...(kind === "ClusterIP" && given.externalIPs === undefined ? {} : { externalTrafficPolicy: given.external }),
      ...(isBalanced && isLocal ? { healthCheckNodePort: given.healthCheckNodePort } : {}),
      ...(isBalanced
        ? {
            allocateLoadBalancerNodePorts: allocate,
            loadBalancerClass: given.loadBalancerClass,
            loadBalancerSourceRanges: given.ranges,
          }
        : {}),
    };
  });

interface GivenPort {
  readonly port: number;
  readonly protocol: string | undefined;
  readonly nodePort: number | undefined;
}

function uniquePorts(given: readonly (GivenPort | undefined)[], kind: string): object[] {
  const seen = new Set<string>();
  return given.flatMap((one) => {
    if (one === undefined) return [];
    const { nodePort, ...rest } = one;
    const keys = [`${one.protocol ?? "TCP"} ${one.port}`, ...(nodePort === undefined ? [] : [`node port ${nodePort}`])];
    if (keys.some((key) => seen.has(key))) return [];
    for (const key of keys) seen.add(key);
    return [kind === "NodePort" || kind === "LoadBalancer" ? { ...rest, nodePort } : rest];
  });
}

const wild = fc.tuple(fields, rarely(addresses, 2)).map(([said, given]) => ({ ...said, ...given }));
const spec = fc
  .oneof({ weight: 3, arbitrary: plain }, { weight: 1, arbitrary: wild })
  .map((said) => withoutUndefined(said) as Record<string, unknown>);

function withoutUndefined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutUndefined);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) => (inner === undefined ? [] : [[key, withoutUndefined(inner)]])),
  );
}

/** A few fields of a spec, some of them taken away (null). */
const change = fc.tuple(spec, fc.nat()).map(([whole, seed]) => {
  const keys = Object.keys(whole);
  const count = 1 + (seed % 3);
  return Object.fromEntries(
    keys
      .map((key, index) => ({ key, order: (seed * 31 + index * 17) % 101 }))
      .sort((one, other) => one.order - other.order)
      .slice(0, count)
      .map(({ key, order }) => [key, order % 5 === 0 ? null : whole[key]]),
  );
});

const annotations = rarely(
  oneOf<Record<string, string>>(
    { "service.kubernetes.io/topology-mode": "Auto", "service.kubernetes.io/topology-aware-hints": "Off" },
    { "service.kubernetes.io/topology-aware-hints": "Off" },
    { "service.beta.kubernetes.io/load-balancer-source-ranges": "10.0.0.0/8, x" },
    { "service.beta.kubernetes.io/load-balancer-source-ranges": " " },
    { "-": "x" },
  ),
  12,
);
const ingress = fc.array(
  fc
    .record({
      ip: rarely(oneOf("1.2.3.4", "x", "01.2.3.4", "2001:DB8::1", ""), 1),
      hostname: rarely(oneOf("example.com", "1.2.3.4", "Bad_", "::1"), 2),
      ipMode: rarely(oneOf("VIP", "Proxy", "Bogus", ""), 2),
    })
    .map(withoutUndefined),
  { maxLength: 2 },
);

export const step: fc.Arbitrary<Step> = fc
  .record({
    action: oneOf<Step["action"]>(
      ...(["create", "create", "replace", "replace", "modify", "modify", "modify", "patch", "patch"] as const),
      ...(["status", "delete", "dryCreate", "dryReplace"] as const),
    ),
    name: oneOf("a", "a", "b", "c"),
    whole: spec,
    change,
    annotations,
    ingress,
  })
  .map(({ whole, change: some, ...rest }) => ({
    ...rest,
    spec: rest.action === "modify" || rest.action === "patch" ? some : whole,
  }));
