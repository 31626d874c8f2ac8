import type { Host } from "../../../host/host.ts";
import type { IPFamily } from "../../../net/ip.ts";
import type { Clock } from "../../../observe/clock.ts";
import type { EngineAbilities, ProxyEngine } from "../../engine.ts";
import { apply } from "./apply.ts";
import { cleanup } from "./cleanup.ts";
import { compile, type IpvsPart } from "./compile.ts";
import { compileNode, type IpvsFrame } from "./frame.ts";
import { intact } from "./intact.ts";
import { Iptables } from "./iptables.ts";
import { Leaving } from "./leaving.ts";
import { wayOfKey } from "./names.ts";
import { USUAL_OPTIONS, type IpvsOptions } from "./options.ts";
import { inRanges } from "./ranges.ts";
import { read } from "./read.ts";
import { applySettings } from "./settings.ts";
import type { IpvsState } from "./state.ts";
import { supported } from "./supported.ts";

const LOOPBACK = "the kernel does not route a translated packet from a loopback address to another host";

const IPVS_ABILITIES: EngineAbilities = {
  udp: true,
  sctp: true,
  clientSourceAddress: true,
  refusalWithoutEndpoints: true,
  dropWithoutLocalEndpoints: true,
  refusalOfWrongPorts: true,
  dropOfUnassignedAddresses: true,
  dropOutsideSourceRanges: true,
  shortCircuits: true,
  sessionAffinity: true,
  affinityAcrossAddresses: { not: "IPVS remembers a client for each virtual server, and every address is one" },
  loopbackNodePorts: { not: LOOPBACK },
  loopbackNodePortsIPv6: { not: LOOPBACK },
  retry: { not: "the kernel has chosen before anybody answers" },
  weights: true,
  portRanges: { not: "a virtual server has one port, or all of them" },
  balance: {
    random: { not: "IPVS has no scheduler that chooses at random: connections are taken as the node's scheduler does" },
    "round-robin": true,
    "least-connections": true,
    maglev: true,
    "source-hash": true,
  },
};

export type IpvsEngine = ProxyEngine<IpvsPart, IpvsFrame, IpvsState>;

/** Service traffic carried by the kernel's IP Virtual Server, beside sets and rules of our own: see README.md. */
export function ipvsEngine(
  host: Host,
  clock: Clock,
  families: readonly IPFamily[] = ["IPv4", "IPv6"],
  options: IpvsOptions = USUAL_OPTIONS,
): IpvsEngine {
  const isExcluded = (key: string): boolean => {
    const way = wayOfKey(key)?.way;
    return way !== undefined && inRanges(way.slice(0, way.lastIndexOf(",")), options.excludeCIDRs);
  };
  const iptables = new Iptables(host);
  const leaving = new Leaving(host, clock);
  return {
    name: "ipvs",
    abilities: IPVS_ABILITIES,
    supported: () => supported(host, iptables, families, options.scheduler),
    compileNode,
    compile: (service, node) => compile(service, node, options.scheduler),
    read: (signal) => leaving.alone(() => read(host, signal)),
    apply: (next, was, signal) =>
      leaving.alone(async () => {
        if (was.frame === undefined) await applySettings(host, options, signal);
        const state = await apply(host, iptables, next, was, { isExcluded }, signal);
        leaving.watch(state);
        return state;
      }),
    intact: (was, signal) => leaving.alone(() => intact(host, iptables, was, signal)),
    cleanup: (signal) => leaving.alone(() => cleanup(host, iptables, isExcluded, signal)),
    close: () => leaving.close(),
  };
}
