import { familyOf, toNumber } from "../net/ip.ts";
import { attribute } from "./conntrack/attributes.ts";
import { Netlink, NetlinkOverrun, NetlinkRefused } from "./netlink.ts";

const NETLINK_ROUTE = 0;
/** Messages and multicast groups of linux/rtnetlink.h. */
const RTM_NEWLINK = 16;
const RTM_DELLINK = 17;
const RTM_DELROUTE = 25;
const RTM_GETROUTE = 26;
const RTA_DST = 1;
const GROUPS = { link: 1, route4: 7, route6: 11 } as const;
const IFF_UP = 1;
/** Where the flags are in struct ifinfomsg. */
const FLAGS_AT = 8;
const ROOM = 1 << 20;

/** Which ways there are in a network namespace, as its kernel would go. */
export class Routes {
  readonly #asking: Netlink;
  readonly #hearing: Netlink;

  /** A path to the namespace; undefined is our own. Throws where the kernel does not talk. */
  constructor(namespace: string | undefined) {
    this.#asking = new Netlink(namespace, NETLINK_ROUTE);
    this.#hearing = new Netlink(namespace, NETLINK_ROUTE);
    for (const group of Object.values(GROUPS)) this.#hearing.join(group, ROOM);
  }

  /** Whether a link went down or a route away since the last call: ways that there were may be none now. */
  lost(): boolean {
    let lost = false;
    for (;;) {
      try {
        const messages = this.#hearing.receive();
        if (messages === undefined) return lost;
        lost ||= messages.some(
          ({ type, body }) =>
            type === RTM_DELLINK ||
            type === RTM_DELROUTE ||
            (type === RTM_NEWLINK && (body.readUInt32LE(FLAGS_AT) & IFF_UP) === 0),
        );
      } catch (error) {
        if (!(error instanceof NetlinkOverrun)) throw error;
        lost = true;
      }
    }
  }

  /** Whether a packet to this address would go anywhere. */
  leadTo(ip: string): boolean {
    const isIPv4 = familyOf(ip) === "IPv4";
    const address = Buffer.from(
      toNumber(ip)
        .toString(16)
        .padStart(isIPv4 ? 8 : 32, "0"),
      "hex",
    );
    const header = Buffer.alloc(12);
    header.writeUInt8(isIPv4 ? 2 : 10, 0);
    header.writeUInt8(address.length * 8, 1);
    try {
      this.#asking.get(RTM_GETROUTE, Buffer.concat([header, attribute(RTA_DST, address)]), `asking for a way to ${ip}`);
      return true;
    } catch (error) {
      if (error instanceof NetlinkRefused) return false;
      throw error;
    }
  }

  close(): void {
    this.#asking.close();
    this.#hearing.close();
  }
}
