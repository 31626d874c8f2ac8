import { eachAttribute } from "./conntrack/attributes.ts";
import { NFGENMSG } from "./conntrack/flow.ts";
import type { Host } from "./host.ts";
import { Netlink } from "./netlink.ts";
import { networkOf } from "./network-of.ts";

const NETLINK_NETFILTER = 12;
/** NFT_MSG_GETGEN of NFNL_SUBSYS_NFTABLES, and NFTA_GEN_ID (linux/netfilter/nf_tables.h). */
const GET_GENERATION = (10 << 8) | 16;
const GENERATION = 1;

/** The number of the last change that anybody made to the nftables rules of a network; also by iptables, where that writes them. */
export interface NftGeneration {
  /** Costs one system call. Throws where the kernel does not say. */
  now(): number;
  close(): void;
}

/** Opens that of the network in which `host` runs its programs. Throws where this Node or the kernel cannot. */
export async function openNftGeneration(host: Host): Promise<NftGeneration> {
  const network = await networkOf(host);
  try {
    const socket = new Netlink(network.path, NETLINK_NETFILTER);
    return {
      now() {
        const answer = socket.get(GET_GENERATION, Buffer.alloc(NFGENMSG), "asking for the generation of nftables");
        let generation: number | undefined;
        eachAttribute(answer, NFGENMSG, answer.length, (type, at) => {
          if (type === GENERATION) generation = answer.readUInt32BE(at);
        });
        if (generation === undefined) throw new Error("asking for the generation of nftables: the answer names none");
        return generation;
      },
      close: () => socket.close(),
    };
  } finally {
    network.close();
  }
}
