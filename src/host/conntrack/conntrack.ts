import type { IPFamily } from "../../net/ip.ts";
import type { Host } from "../host.ts";
import { Netlink, NetlinkRefused } from "../netlink.ts";
import { networkOf } from "../network-of.ts";
import { attribute, eachAttribute, nested, u32 } from "./attributes.ts";
import { FlowEvents } from "./events.ts";
import { CTA, IPS_SEEN_REPLY, NFGENMSG, readFlow, writeTuple, type Flow, type FlowQuery, type Tuple } from "./flow.ts";

const NETLINK_NETFILTER = 12;
/** NFNL_SUBSYS_CTNETLINK, and its messages. */
const SUBSYSTEM = 1 << 8;
const CT_GET = SUBSYSTEM | 1;
const CT_DELETE = SUBSYSTEM | 2;
const CT_GET_STATS = SUBSYSTEM | 5;
const CTA_STATS_GLOBAL_ENTRIES = 1;
const CTA_STATS_MAX_ENTRIES = 2;
const ENOENT = 2;

/** Bits of CTA_FILTER_ORIG_FLAGS and CTA_FILTER_REPLY_FLAGS (net/netfilter/nf_conntrack_netlink.c, Linux 5.8). */
const FILTER = { source: 1, destination: 2, protocol: 8, sourcePort: 16, destinationPort: 32 } as const;

/** How full the table is; `limit` 0 where the kernel does not say. */
export interface ConntrackUsage {
  readonly entries: number;
  readonly limit: number;
}

/** The kernel's connection tracking, in the network in which a host runs its programs. */
export interface Conntrack {
  /** A path that leads to the network while this is open; undefined: it is this thread's own. */
  readonly network: string | undefined;
  /** The flows that match, as they are now. The kernel sorts out what does not match where it can (Linux 5.8, 5.18). */
  list(query: FlowQuery): Flow[];
  /** Forgets flows; the next packet of each is as the first of a new one. Answers how many there were. */
  remove(flows: readonly Flow[]): number;
  usage(): ConntrackUsage;
  /** TCP handshakes as they go, from now on. */
  events(): FlowEvents;
  close(): void;
}

const header = (family: IPFamily | undefined): Buffer =>
  Buffer.of(family === undefined ? 0 : family === "IPv4" ? 2 : 10, 0, 0, 0);

const flagsOf = (tuple: Partial<Tuple>): number =>
  FILTER.protocol |
  (tuple.source === undefined ? 0 : FILTER.source) |
  (tuple.destination === undefined ? 0 : FILTER.destination) |
  (tuple.sourcePort === undefined ? 0 : FILTER.sourcePort) |
  (tuple.destinationPort === undefined ? 0 : FILTER.destinationPort);

function queryBytes(query: FlowQuery): Buffer {
  const { family, protocol, original = {}, reply = {}, replied } = query;
  // Numbers of flags are in the machine's own order, unlike everything else here.
  const flags = (tuple: Partial<Tuple>): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(flagsOf(tuple));
    return bytes;
  };
  return Buffer.concat([
    header(family),
    writeTuple(CTA.TUPLE_ORIG, protocol, original, family ?? "IPv4"),
    writeTuple(CTA.TUPLE_REPLY, protocol, reply, family ?? "IPv4"),
    nested(CTA.FILTER, attribute(1, flags(original)), attribute(2, flags(reply))),
    ...(replied === undefined
      ? []
      : [attribute(CTA.STATUS, u32(replied ? IPS_SEEN_REPLY : 0)), attribute(CTA.STATUS_MASK, u32(IPS_SEEN_REPLY))]),
  ]);
}

const has = (tuple: Tuple, wanted: Partial<Tuple> = {}): boolean =>
  (wanted.source === undefined || wanted.source === tuple.source) &&
  (wanted.sourcePort === undefined || wanted.sourcePort === tuple.sourcePort) &&
  (wanted.destination === undefined || wanted.destination === tuple.destination) &&
  (wanted.destinationPort === undefined || wanted.destinationPort === tuple.destinationPort);

/** Whether a flow is asked for: what an older kernel does not sort out we do. */
const matches = (flow: Flow, query: FlowQuery): boolean =>
  (query.family === undefined || flow.family === query.family) &&
  flow.protocol === query.protocol &&
  has(flow.original, query.original) &&
  has(flow.reply, query.reply) &&
  (query.replied === undefined || query.replied === flow.replied);

/**
 * Opens the connection tracking of the network in which `host` runs its programs. Throws, saying what is missing, where this Node
 * cannot call the C library or the kernel has no connection tracking.
 */
export async function openConntrack(host: Host): Promise<Conntrack> {
  const network = await networkOf(host);
  let socket: Netlink;
  try {
    socket = new Netlink(network.path, NETLINK_NETFILTER);
  } catch (error) {
    network.close();
    throw error;
  }
  const opened: FlowEvents[] = [];
  let filters = true;

  const dump = (query: FlowQuery): Flow[] => {
    const flows: Flow[] = [];
    const doing = `listing the ${query.protocol} flows of connection tracking`;
    const body = filters ? queryBytes(query) : header(query.family);
    socket.dump(CT_GET, body, doing, (bytes) => {
      const flow = readFlow(bytes);
      if (flow !== undefined && matches(flow, query)) flows.push(flow);
    });
    return flows;
  };
  const usage = (): ConntrackUsage => {
    const found = { entries: 0, limit: 0 };
    const bytes = socket.get(CT_GET_STATS, header(undefined), "reading how full connection tracking is");
    eachAttribute(bytes, NFGENMSG, bytes.length, (type, at) => {
      if (type === CTA_STATS_GLOBAL_ENTRIES) found.entries = bytes.readUInt32BE(at);
      else if (type === CTA_STATS_MAX_ENTRIES) found.limit = bytes.readUInt32BE(at);
    });
    return found;
  };
  try {
    usage();
  } catch (error) {
    socket.close();
    network.close();
    throw new Error(`opening the kernel's connection tracking: ${(error as Error).message}`, { cause: error });
  }
  return {
    network: network.path,
    list(query) {
      try {
        return dump(query);
      } catch (error) {
        // Before Linux 5.8 a filter is refused; we sort out ourselves then.
        if (!(error instanceof NetlinkRefused) || !filters) throw error;
        filters = false;
        return dump(query);
      }
    },
    remove(flows) {
      const bodies = flows.map(({ family, protocol, original }) =>
        Buffer.concat([header(family), writeTuple(CTA.TUPLE_ORIG, protocol, original, family)]),
      );
      const results = socket.ask(CT_DELETE, bodies);
      const refused = results.find((errno) => errno !== 0 && errno !== ENOENT);
      if (refused !== undefined) throw new NetlinkRefused("forgetting a flow", refused);
      return results.filter((errno) => errno === 0).length;
    },
    usage,
    events() {
      const events = new FlowEvents(new Netlink(network.path, NETLINK_NETFILTER));
      opened.push(events);
      return events;
    },
    close() {
      for (const one of opened) one.close();
      socket.close();
      network.close();
    },
  };
}
