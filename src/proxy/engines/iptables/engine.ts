import type { Host } from "../../../host/host.ts";
import type { IPFamily } from "../../../net/ip.ts";
import type { EngineAbilities, ProxyEngine } from "../../engine.ts";
import { NftLooks } from "../nft-looks.ts";
import { apply } from "./apply.ts";
import { cleanup } from "./cleanup.ts";
import { compile, type IptPart } from "./compile.ts";
import { figures } from "./figures.ts";
import { compileNode, type FrameOptions, type IptFrame } from "./frame.ts";
import { intact } from "./intact.ts";
import { read } from "./read.ts";
import type { IptState } from "./state.ts";
import { supported } from "./supported.ts";
import { Iptables, type Backend } from "./tools.ts";

const IPTABLES_ABILITIES: EngineAbilities = {
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
  affinityAcrossAddresses: true,
  loopbackNodePorts: true,
  loopbackNodePortsIPv6: { not: "IPv6 has no route_localnet: a packet from ::1 never leaves the machine" },
  retry: { not: "the kernel has chosen before anybody answers" },
  weights: true,
  portRanges: true,
  balance: {
    random: true,
    "round-robin": true,
    "least-connections": { not: "iptables chooses for each connection by itself and does not count those under way" },
    maglev: true,
    "source-hash": true,
  },
};

export interface IptablesOptions extends FrameOptions {
  /** The tools to use; undefined: `iptables-restore` and its like, whichever they are on this machine. */
  readonly backend?: Backend;
}

export type IptablesEngine = ProxyEngine<IptPart, IptFrame, IptState>;

/** Service traffic carried by the kernel's iptables, in chains of our own: see README.md. */
export function iptablesEngine(
  host: Host,
  families: readonly IPFamily[] = ["IPv4", "IPv6"],
  options: IptablesOptions = {},
): IptablesEngine {
  const iptables = new Iptables(host, options.backend);
  const looks = new NftLooks(host);
  return {
    name: "iptables",
    abilities: IPTABLES_ABILITIES,
    supported: () => supported(iptables, families),
    compileNode: (node) => compileNode(node, options),
    compile,
    read(signal) {
      looks.read();
      return read(iptables, families, signal);
    },
    apply: (next, was, signal) => looks.change(() => apply(iptables, next, was, signal)),
    // The legacy tables are not nftables': nobody counts their changes.
    intact: async (was, signal) =>
      (await iptables.isLegacy()) ? intact(iptables, was, signal) : looks.intact(() => intact(iptables, was, signal)),
    figures,
    cleanup: (signal) => cleanup(host, options.backend, signal),
    close: () => looks.close(),
  };
}
