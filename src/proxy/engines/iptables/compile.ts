import { cidrContains, parseCidr } from "../../../net/cidr.ts";
import { familyOf } from "../../../net/ip.ts";
import type { Destination, Frontend, NodePlan, ServicePlan, ServicePortPlan, Target } from "../../plan/plan.ts";
import {
  ADDRESS_TREE,
  addressEntries,
  PORT_TREE,
  portEntries,
  REFUSED_ADDRESS_TREE,
  REFUSED_PORT_TREE,
  type Tree,
} from "./dispatch.ts";
import { DROP, MARK, podMatches, REFUSAL, TO_STRANGERS } from "./frame.ts";
import { compileList } from "./lists.ts";
import { portChains, type PortChains } from "./names.ts";
import { rangesOf } from "./ranges.ts";
import { hostRange, type Chain, type Entry } from "./rules.ts";

/** A Service in iptables' words: chains of its own, and rules in chains that it shares with others. */
export interface IptPart {
  readonly chains: readonly Chain[];
  readonly entries: readonly Entry[];
}

const protocolOf = (port: ServicePortPlan): "tcp" | "udp" | "sctp" =>
  port.protocol.toLowerCase() as "tcp" | "udp" | "sctp";

/** The comment that says to a person whose rule it is (PRX-181); names of Services need no escaping. */
const commentOf = (id: string): string => `-m comment --comment "${id}"`;

const sameTargets = (one: readonly Target[], other: readonly Target[]): boolean =>
  one === other ||
  (one.length === other.length &&
    one.every((target, at) => target.ip === other[at]!.ip && target.port === other[at]!.port));

/** One port of one Service in one family, while it is compiled. */
class PortCompiler {
  readonly chains: Chain[] = [];
  readonly entries: Entry[] = [];
  readonly #port: ServicePortPlan;
  readonly #node: NodePlan;
  readonly #names: PortChains;
  readonly #made = new Set<string>();

  constructor(port: ServicePortPlan, node: NodePlan) {
    this.#port = port;
    this.#node = node;
    this.#names = portChains(port.id);
  }

  compile(): void {
    const { frontends, nodePort, internal } = this.#port;
    for (const frontend of frontends) {
      if (frontend.kind === "cluster") this.#cluster(frontend, internal);
      else this.#external(frontend);
    }
    if (nodePort !== undefined) this.#nodePort(nodePort);
  }

  #chain(name: string, rules: readonly string[]): void {
    if (this.#made.has(name)) return;
    this.#made.add(name);
    this.chains.push({ family: this.#port.family, table: "nat", name, rules });
  }

  /** The chain of a list; the Cluster list's unless it is another list than that. */
  #list(destination: Destination & { to: "targets" }): string {
    const { cluster, frontends } = this.#port;
    const isCluster = cluster.to !== "targets" || sameTargets(destination.targets, cluster.targets);
    const name = isCluster ? this.#names.cluster : this.#names.local;
    if (this.#made.has(name)) return name;
    const list = compileList(this.#port, destination.targets, name);
    for (const chain of list.chains) this.#chain(chain.name, chain.rules);
    const toCluster = frontends.filter(({ kind }) => kind === "cluster");
    this.#chain(name, [...toCluster.map(({ ip }) => `-d ${hostRange(ip)} -j ${TO_STRANGERS}`), ...list.rules]);
    return name;
  }

  #at(tree: Tree, frontend: Frontend, what: string): void {
    const { ip, port, lastPort } = frontend;
    const protocol = protocolOf(this.#port);
    const ports = lastPort === undefined || lastPort === port ? `${port}` : `${port}:${lastPort}`;
    const rule = `-d ${hostRange(ip)} -p ${protocol} -m ${protocol} --dport ${ports} ${commentOf(this.#port.id)} ${what}`;
    // A port of its own goes before a range that has it too.
    this.entries.push(...addressEntries(tree, this.#port.family, ip, { rank: ports.includes(":") ? 1 : 0, rule }));
  }

  #cluster(frontend: Frontend, internal: Destination): void {
    if (internal.to === "targets") this.#at(ADDRESS_TREE, frontend, `-j ${this.#list(internal)}`);
    // A refusal is what every port of a clusterIP gets that is not translated.
    else if (internal.to === "drop") this.#at(REFUSED_ADDRESS_TREE, frontend, DROP);
  }

  /** Whether traffic from outside is translated for anybody at all. */
  #isExternalServed(): boolean {
    const { external, externalLocal, cluster } = this.#port;
    return external.to === "targets" || (externalLocal && cluster.to === "targets");
  }

  /** The way in from outside: with externalTrafficPolicy Local pods and the node use the Cluster list (PRX-036 … PRX-039). */
  #outside(): string {
    const { external, externalLocal, cluster, family } = this.#port;
    const name = this.#names.external;
    if (this.#made.has(name)) return name;
    const rules: string[] = [];
    if (!externalLocal) {
      if (external.to === "targets") rules.push(`-j ${MARK}`, `-g ${this.#list(external)}`);
    } else {
      if (cluster.to === "targets") {
        const list = this.#list(cluster);
        const own = "-m addrtype --src-type LOCAL";
        rules.push(`${own} -j ${MARK}`, `${own} -g ${list}`);
        for (const match of podMatches(this.#node, family)) rules.push(`${match} -g ${list}`);
      }
      if (external.to === "targets") rules.push(`-g ${this.#list(external)}`);
    }
    this.#chain(name, rules);
    return name;
  }

  #external(frontend: Frontend): void {
    const { sourceRanges, external, family } = this.#port;
    const ranges = frontend.kind === "loadBalancer" ? sourceRanges : undefined;
    // What comes here untranslated never leaves the machine, not even in the moment in which the Service gains an endpoint.
    if (ranges === undefined) {
      if (this.#isExternalServed()) this.#at(ADDRESS_TREE, frontend, `-j ${this.#outside()}`);
      this.#at(REFUSED_ADDRESS_TREE, frontend, external.to === "reject" ? `-j ${REFUSAL}` : DROP);
      return;
    }
    const own = this.#node.nodeAddresses;
    const allowed = rangesOf(ranges, family);
    const matches = allowed.map((range) => `-s ${range}`);
    // PRX-091: the node may speak with the address of the load balancer as its source, since kernels pick it where it is local.
    if (own.some((ip) => allowed.some((range) => cidrContains(parseCidr(range), ip)))) {
      for (const { ip, kind } of this.#port.frontends) {
        if (kind === "loadBalancer") matches.push(`-s ${hostRange(ip)} -d ${hostRange(ip)}`);
      }
    }
    if (this.#isExternalServed()) {
      const outside = this.#outside();
      this.#chain(
        this.#names.firewall,
        matches.map((match) => `${match} -g ${outside}`),
      );
      this.#at(ADDRESS_TREE, frontend, `-j ${this.#names.firewall}`);
      this.#at(REFUSED_ADDRESS_TREE, frontend, DROP);
      return;
    }
    // Who may not come hears nothing, whether there is somebody to answer or not.
    const { firewall } = this.#names;
    if (!this.#made.has(firewall)) {
      this.#made.add(firewall);
      const refusal = external.to === "reject" ? matches.map((match) => `${match} -g ${REFUSAL}`) : [];
      this.chains.push({ family, table: "filter", name: firewall, rules: [...refusal, DROP] });
    }
    this.#at(REFUSED_ADDRESS_TREE, frontend, `-j ${firewall}`);
  }

  #nodePort(nodePort: number): void {
    const { external, family, id } = this.#port;
    const protocol = protocolOf(this.#port);
    const add = (tree: Tree, what: string): void => {
      const rule = `-p ${protocol} -m ${protocol} --dport ${nodePort} ${commentOf(id)} ${what}`;
      this.entries.push(...portEntries(tree, family, protocol, nodePort, rule));
    };
    if (this.#isExternalServed()) add(PORT_TREE, `-j ${this.#outside()}`);
    add(REFUSED_PORT_TREE, external.to === "reject" ? `-j ${REFUSAL}` : DROP);
  }
}

/** Pure: the same plan gives the same part. */
export function compile(service: ServicePlan, node: NodePlan): IptPart {
  const chains: Chain[] = [];
  const entries: Entry[] = [];
  for (const port of service.ports) {
    if (!node.families.includes(port.family)) continue;
    const compiler = new PortCompiler(port, node);
    compiler.compile();
    chains.push(...compiler.chains);
    entries.push(...compiler.entries);
  }
  for (const ip of service.clusterIPs) {
    const family = familyOf(ip);
    if (family === undefined || !node.families.includes(family)) continue;
    const rule = `-d ${hostRange(ip)} ${commentOf(service.key)} -j ${REFUSAL}`;
    entries.push(...addressEntries(REFUSED_ADDRESS_TREE, family, ip, { rank: 2, rule }));
  }
  if (service.healthCheckNodePort !== undefined) {
    // PRX-113.
    const port = service.healthCheckNodePort;
    const rule = `-p tcp -m tcp --dport ${port} ${commentOf(`${service.key} health check`)} -j ACCEPT`;
    for (const family of node.families) entries.push(...portEntries(REFUSED_PORT_TREE, family, "tcp", port, rule));
  }
  return { chains, entries };
}
