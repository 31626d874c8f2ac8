import type { Host } from "../../../host/host.ts";
import type { IPFamily } from "../../../net/ip.ts";
import type { EngineAbilities, ProxyEngine } from "../../engine.ts";
import { NftLooks } from "../nft-looks.ts";
import { apply } from "./apply.ts";
import { cleanup } from "./cleanup.ts";
import { compile, type NftPart } from "./compile.ts";
import { compileNode, type NftFrame } from "./frame.ts";
import { NftSession } from "../../../host/nft.ts";
import { intact } from "./intact.ts";
import { read } from "./read.ts";
import type { NftState } from "./state.ts";
import { supported } from "./supported.ts";

const LOOPBACK = "the kernel does not route a translated packet from a loopback address to another host";
const OF_ITS_OWN = "nftables chooses for each connection by itself and does not count those under way";

const NFTABLES_ABILITIES: EngineAbilities = {
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
  loopbackNodePorts: { not: LOOPBACK },
  loopbackNodePortsIPv6: { not: LOOPBACK },
  retry: { not: "the kernel has chosen before anybody answers" },
  weights: true,
  portRanges: true,
  balance: {
    random: true,
    "round-robin": true,
    "least-connections": { not: OF_ITS_OWN },
    maglev: true,
    "source-hash": true,
  },
};

export type NftablesEngine = ProxyEngine<NftPart, NftFrame, NftState>;

/** Service traffic carried by the kernel's nftables, in two tables of our own: see README.md. */
export function nftablesEngine(host: Host, families: readonly IPFamily[] = ["IPv4", "IPv6"]): NftablesEngine {
  const session = new NftSession(host);
  const looks = new NftLooks(host);
  return {
    name: "nftables",
    abilities: NFTABLES_ABILITIES,
    supported: () => supported(host, families),
    compileNode,
    compile,
    read(signal) {
      looks.read();
      return read(host, signal);
    },
    apply: (next, was, signal) => looks.change(() => apply(host, session, next, was, signal)),
    intact: (was, signal) => looks.intact(() => intact(host, was, signal)),
    cleanup: (signal) => cleanup(host, signal),
    async close() {
      await looks.close();
      await session.close();
    },
  };
}
