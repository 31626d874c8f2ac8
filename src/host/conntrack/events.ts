import { addressOf } from "../libc.ts";
import { NetlinkOverrun, type BpfInstruction, type Netlink } from "../netlink.ts";
import {
  CTA,
  CTA_PROTO_NUM,
  CTA_PROTOINFO_TCP,
  CTA_PROTOINFO_TCP_STATE,
  CTA_TUPLE_PROTO,
  IPS_SEEN_REPLY,
  PROTOCOL_NUMBERS,
  readFlow,
  TCP_STATE,
  type Flow,
} from "./flow.ts";

/**
 * `opened`: a client's first packet is on its way. `answered`: the other side took the connection. `refused`: its first answer was a
 * reset. `forgotten`: the kernel gave up waiting, or somebody deleted the flow.
 */
export interface Handshake {
  readonly kind: "opened" | "answered" | "refused" | "forgotten";
  readonly flow: Flow;
}

/** Multicast groups of linux/netfilter/nfnetlink_compat.h. */
const GROUPS = { new: 1, update: 2, destroy: 3 } as const;
/** Bytes: at 4,000 events in a second this is some seconds' worth. */
const EVENT_ROOM = 8 << 20;
const CT_DELETE = 0x102;
/** NLM_F_CREATE | NLM_F_EXCL. */
const CREATED = 0x600;

// Classic BPF: the kernel's own extensions find netlink attributes (linux/filter.h).
const LOAD_ATTRIBUTE = -0x1000 + 12;
const LOAD_NESTED = -0x1000 + 16;
/** Where attributes begin: behind struct nlmsghdr and struct nfgenmsg. */
const ATTRIBUTES = 20;

type Line = readonly [code: number, k: number, ifTrue?: string | undefined, ifFalse?: string] | string;

/** Goes to `drop` unless attribute is inside attribute; then the accumulator has where the last of them begins. */
const descend = (...path: readonly number[]): Line[] => [
  [0x00, ATTRIBUTES],
  ...path.flatMap((type, depth): Line[] => [
    [0x01, type],
    [0x20, depth === 0 ? LOAD_ATTRIBUTE : LOAD_NESTED],
    [0x15, 0, "drop"],
  ]),
  [0x07, 0],
];

/** Of TCP only: each new flow, the packet that answers it, and the end of one that was never answered. */
const LINES: readonly Line[] = [
  ...descend(CTA.TUPLE_ORIG, CTA_TUPLE_PROTO, CTA_PROTO_NUM),
  [0x50, 4],
  [0x15, PROTOCOL_NUMBERS.TCP, undefined, "drop"],
  // Numbers of the header are in the machine's order and are loaded in the network's.
  [0x28, 4],
  [0x15, 0x0201, "destroy"],
  [0x28, 6],
  [0x45, 0x0006, "accept"],
  ...descend(CTA.PROTOINFO, CTA_PROTOINFO_TCP, CTA_PROTOINFO_TCP_STATE),
  [0x50, 4],
  [0x15, TCP_STATE.SYN_RECV, "accept", "drop"],
  "destroy",
  ...descend(CTA.STATUS),
  [0x40, 4],
  [0x45, IPS_SEEN_REPLY, "drop", "accept"],
  "accept",
  [0x06, 0xffffffff],
  "drop",
  [0x06, 0],
];

function assemble(lines: readonly Line[]): BpfInstruction[] {
  const labels = new Map<string, number>();
  const code: Exclude<Line, string>[] = [];
  for (const line of lines) {
    if (typeof line === "string") labels.set(line, code.length);
    else code.push(line);
  }
  const jump = (at: number, label: string | undefined): number =>
    label === undefined ? 0 : labels.get(label)! - at - 1;
  return code.map(([op, k, ifTrue, ifFalse], at) => [op, jump(at, ifTrue), jump(at, ifFalse), k]);
}

/** How TCP connections begin, as connection tracking sees it. What is not taken waits in the kernel. */
export class FlowEvents {
  readonly #socket: Netlink;

  constructor(socket: Netlink) {
    this.#socket = socket;
    socket.filter(assemble(LINES), addressOf);
    for (const group of Object.values(GROUPS)) socket.join(group, EVENT_ROOM);
  }

  /** All that happened since the last call; undefined: too much, some of it is lost. */
  take(): Handshake[] | undefined {
    const handshakes: Handshake[] = [];
    let lost = false;
    for (;;) {
      try {
        const messages = this.#socket.receive();
        if (messages === undefined) return lost ? undefined : handshakes;
        for (const { type, flags, body } of messages) {
          const flow = readFlow(body);
          const kind = flow === undefined ? undefined : kindOf(flow, type === CT_DELETE, (flags & CREATED) !== 0);
          if (flow !== undefined && kind !== undefined) handshakes.push({ kind, flow });
        }
      } catch (error) {
        if (!(error instanceof NetlinkOverrun)) throw error;
        lost = true;
      }
    }
  }

  close(): void {
    this.#socket.close();
  }
}

function kindOf(flow: Flow, ended: boolean, created: boolean): Handshake["kind"] | undefined {
  if (flow.protocol !== "TCP") return undefined;
  if (ended) return flow.replied ? undefined : flow.tcpState === TCP_STATE.CLOSE ? "refused" : "forgotten";
  if (created) return flow.tcpState === TCP_STATE.SYN_SENT ? "opened" : undefined;
  return flow.tcpState === TCP_STATE.SYN_RECV ? "answered" : undefined;
}
