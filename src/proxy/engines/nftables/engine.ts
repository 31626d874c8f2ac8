import type { Host } from "../../../host/host.ts";
import type { IPFamily } from "../../../net/ip.ts";
import type { ProxyEngine } from "../../engine.ts";
import { apply } from "./apply.ts";
import { cleanup } from "./cleanup.ts";
import { compile, type NftPart } from "./compile.ts";
import { compileNode, type NftFrame } from "./frame.ts";
import { NftSession } from "../../../host/nft.ts";
import { read } from "./read.ts";
import type { NftState } from "./state.ts";
import { supported } from "./supported.ts";

export type NftablesEngine = ProxyEngine<NftPart, NftFrame, NftState>;

/** Service traffic carried by the kernel's nftables, in two tables of our own: see README.md. */
export function nftablesEngine(host: Host, families: readonly IPFamily[] = ["IPv4", "IPv6"]): NftablesEngine {
  const session = new NftSession(host);
  return {
    name: "nftables",
    abilities: {
      clientSourceAddress: true,
      sessionAffinity: true,
      udp: true,
      sctp: true,
      dropOfUnassignedAddresses: true,
      refusalOfWrongPorts: true,
    },
    supported: () => supported(host, families),
    compileNode,
    compile,
    read: (signal) => read(host, signal),
    apply: (next, was, signal) => apply(host, session, next, was, signal),
    cleanup: (signal) => cleanup(host, signal),
    close: () => session.close(),
  };
}
