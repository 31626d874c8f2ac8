import type { Host } from "../../../src/host/host.ts";
import { familyOf, type IPFamily } from "../../../src/net/ip.ts";
import { nftablesEngine, type NftablesEngine } from "../../../src/proxy/engines/nftables/engine.ts";
import type { NftPart } from "../../../src/proxy/engines/nftables/compile.ts";
import type { NftState } from "../../../src/proxy/engines/nftables/state.ts";
import type {
  Destination,
  Frontend,
  NodePlan,
  Protocol,
  ServicePlan,
  ServicePortPlan,
  Target,
} from "../../../src/proxy/plan/plan.ts";
import { PODS, PORT, type PodName } from "./network.ts";
import { clusterIP, nodePlan } from "./objects.ts";

/** Plans as they are, carried by the nftables engine: for what no object can say, or not as simply. */
export class Planned {
  readonly engine: NftablesEngine;
  node: NodePlan;
  readonly #plans = new Map<string, ServicePlan>();
  readonly #parts = new Map<string, NftPart>();
  #changed = new Set<string>();
  readonly #signal = new AbortController().signal;
  applied: NftState | undefined;

  constructor(host: Host, node: NodePlan = nodePlan()) {
    this.engine = nftablesEngine(host);
    this.node = node;
  }

  set(...plans: ServicePlan[]): void {
    for (const plan of plans) {
      this.#plans.set(plan.key, plan);
      this.#parts.set(plan.key, this.engine.compile(plan, this.node));
      this.#changed.add(plan.key);
    }
  }

  remove(key: string): void {
    this.#plans.delete(key);
    this.#parts.delete(key);
    this.#changed.add(key);
  }

  /** The node is another now: all Services are compiled again. */
  setNode(node: NodePlan): void {
    this.node = node;
    this.set(...this.#plans.values());
  }

  #frame: { node: NodePlan; frame: ReturnType<NftablesEngine["compileNode"]> } | undefined;

  /** One round. When it throws, the next one reads and writes all, as the loop does. */
  async apply(): Promise<void> {
    if (this.#frame?.node !== this.node) this.#frame = { node: this.node, frame: this.engine.compileNode(this.node) };
    const changed = this.applied === undefined ? undefined : this.#changed;
    const was = this.applied ?? (await this.engine.read(this.#signal));
    this.applied = undefined;
    this.#changed = new Set();
    this.applied = await this.engine.apply(
      { frame: this.#frame.frame, parts: this.#parts, changed },
      was,
      this.#signal,
    );
  }

  intact(): Promise<boolean> {
    return this.engine.intact(this.applied!, this.#signal);
  }
}

export const target = (pod: PodName, family: IPFamily = "IPv4", weight = 1): Target => ({
  ip: PODS[pod][family],
  port: PORT,
  local: PODS[pod].node === "node1",
  weight,
});

const to = (targets: readonly Target[], orElse: "drop" | "reject"): Destination =>
  targets.length > 0 ? { to: "targets", targets } : { to: orElse };

/** One port of a Service that anybody may call on its clusterIP, port 80, and the changes of it. */
export const portPlan = (
  number: number,
  targets: readonly Target[],
  change: Partial<ServicePortPlan> & { readonly local?: boolean } = {},
): ServicePortPlan => {
  const { local = false, ...rest } = change;
  const family = rest.family ?? "IPv4";
  const protocol: Protocol = rest.protocol ?? "TCP";
  const all = to(targets, "reject");
  const near = targets.filter((one) => one.local);
  return {
    id: `default/s${number}:${protocol}`,
    family,
    protocol,
    frontends: [{ ip: clusterIP(number, family), port: 80, kind: "cluster" }],
    nodePort: undefined,
    internal: all,
    external: local ? (targets.length === 0 ? all : to(near, "drop")) : all,
    externalLocal: local,
    cluster: all,
    serving: targets.map(({ ip, port }) => ({ ip, port })),
    balance: undefined,
    onRemoval: { action: "keep" },
    keepsPort: false,
    affinitySeconds: undefined,
    sourceRanges: undefined,
    ...rest,
  };
};

export const servicePlan = (number: number, ...ports: ServicePortPlan[]): ServicePlan => {
  const ips = ports.flatMap(({ frontends }) =>
    frontends.filter(({ kind }: Frontend) => kind === "cluster").map(({ ip }) => ip),
  );
  return {
    key: `default/s${number}`,
    clusterIPs: [...new Set(ips)].filter((ip) => familyOf(ip) !== undefined),
    ports,
    healthCheckNodePort: undefined,
    localReady: [],
    penaltyBox: true,
    complaints: [],
  };
};
