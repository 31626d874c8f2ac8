import { familyOf } from "../../../../net/ip.ts";
import type { Host } from "../../../../host/host.ts";
import { loadText, NftSession } from "../../../../host/nft.ts";

const TABLE = "inet fairlead-simulated";
/** Elements in one line: nft reads a line whole. */
const MOST = 400;

/**
 * One listening socket serves a port of all pods, so the kernel is told which address has which port: to the others it
 * answers as if nobody listened. Only the first packet of a connection is judged, and nothing is tracked for it.
 */
const RULES = `add table ${TABLE}
delete table ${TABLE}
table ${TABLE} {
  set open4 { type ipv4_addr . inet_service; }
  set open6 { type ipv6_addr . inet_service; }
  chain input {
    type filter hook input priority filter; policy accept;
    tcp flags & (syn | ack) != syn accept
    meta nfproto ipv4 ip daddr . tcp dport != @open4 reject with tcp reset
    meta nfproto ipv6 ip6 daddr . tcp dport != @open6 reject with tcp reset
  }
}
`;

/** An address and a TCP port that answers. */
export interface Door {
  readonly address: string;
  readonly port: number;
}

/** Opens and closes ports of addresses; all that ask while nft works are served together next. */
export interface Gate {
  open(doors: readonly Door[]): Promise<void>;
  close(doors: readonly Door[]): Promise<void>;
}

function lines(verb: "add" | "delete", doors: readonly Door[]): string[] {
  const said: string[] = [];
  for (const [family, set] of [
    ["IPv4", "open4"],
    ["IPv6", "open6"],
  ] as const) {
    const elements = doors
      .filter(({ address }) => familyOf(address) === family)
      .map(({ address, port }) => `${address} . ${port}`);
    for (let at = 0; at < elements.length; at += MOST) {
      said.push(`${verb} element ${TABLE} ${set} { ${elements.slice(at, at + MOST).join(", ")} }`);
    }
  }
  return said;
}

/** Needs the `nft` tool, and the network namespace this process is in for itself. */
export async function makeGate(host: Host): Promise<Gate> {
  await loadText(host, RULES);
  const session = new NftSession(host);
  let waiting: { verb: "add" | "delete"; doors: readonly Door[] }[] = [];
  let working: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;

  const work = async (): Promise<void> => {
    const orders = waiting;
    waiting = [];
    next = undefined;
    // In the order they came; neighbours of one kind go together.
    for (let at = 0; at < orders.length;) {
      const { verb } = orders[at]!;
      const doors: Door[] = [];
      for (; at < orders.length && orders[at]!.verb === verb; at += 1) doors.push(...orders[at]!.doors);
      for (const line of lines(verb, doors)) await session.apply([line]);
    }
  };
  const soon = (verb: "add" | "delete", doors: readonly Door[]): Promise<void> => {
    if (doors.length === 0) return Promise.resolve();
    waiting.push({ verb, doors });
    next ??= working.catch(() => {}).then(work);
    working = next;
    return next;
  };
  return { open: (doors) => soon("add", doors), close: (doors) => soon("delete", doors) };
}
