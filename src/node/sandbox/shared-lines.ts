import { familyOf } from "../../net/ip.ts";

/** The namespace of all pods without programs of this node, and the node's end of its pair of links. */
export const SHARED_NAMESPACE = "fl-shared";
export const SHARED_LINK = "flshared";

// Locally administered, unicast (IEEE 802); the other pods' begin with 02:01 and 02:02.
const INSIDE_MAC = "02:03:00:00:00:01";
const NODE_MAC = "02:03:00:00:00:02";

/** Who is on the other side, by family: addresses of the link alone (RFC 3927, RFC 4291 2.5.6), which nobody ever asks for. */
const INSIDE = { IPv4: "169.254.1.1", IPv6: "fe80::203:1" } as const;
const NODE = { IPv4: "169.254.1.2", IPv6: "fe80::203:2" } as const;
const FAMILIES = ["IPv4", "IPv6"] as const;

const widthOf = (address: string): number => (familyOf(address) === "IPv4" ? 32 : 128);
const familiesOf = (ranges: readonly string[]): readonly (typeof FAMILIES)[number][] =>
  FAMILIES.filter((family) => ranges.some((range) => range.includes(":") === (family === "IPv6")));

/** What `ip -batch` must do on the node once; each line may find itself done already, so each is run for itself. */
export const makingLines: readonly string[] = [
  `netns add ${SHARED_NAMESPACE}`,
  `link add ${SHARED_LINK} address ${NODE_MAC} type veth peer name eth0 address ${INSIDE_MAC} netns ${SHARED_NAMESPACE}`,
];

/** One permanent neighbour serves all pods: their routes lead to it, not to each address. */
export const nodeLinkLines = (ranges: readonly string[]): string[] => [
  `link set ${SHARED_LINK} addrgenmode none`,
  `link set ${SHARED_LINK} up`,
  ...familiesOf(ranges).map(
    (family) => `neigh replace ${INSIDE[family]} lladdr ${INSIDE_MAC} dev ${SHARED_LINK} nud permanent`,
  ),
];

export const insideLinkLines = (ranges: readonly string[]): string[] => [
  "link set lo up",
  "link set eth0 addrgenmode none",
  "link set eth0 up",
  ...familiesOf(ranges).flatMap((family) => [
    `neigh replace ${NODE[family]} lladdr ${NODE_MAC} dev eth0 nud permanent`,
    `route replace default via ${NODE[family]} dev eth0 onlink`,
  ]),
];

/** The way to a pod's addresses. */
export const wayLines = (addresses: readonly string[]): string[] =>
  addresses.map(
    (address) =>
      `route replace ${address}/${widthOf(address)} via ${INSIDE[familyOf(address)!]} dev ${SHARED_LINK} onlink`,
  );

/**
 * Inside, each address is local: in IPv4 by a route, without being given to a link; in IPv6 given to the loopback, or the kernel
 * would have no address to say from that a port is unreachable. Not the whole range at once: the kernel takes a packet from an address
 * that is its own for a forgery, and other pods and the node have addresses of the range too.
 */
export const localLines = (addresses: readonly string[]): string[] =>
  addresses.map((address) =>
    familyOf(address) === "IPv4"
      ? `route replace local ${address}/32 dev lo`
      : `addr replace ${address}/128 dev lo nodad`,
  );

export const noWayLines = (addresses: readonly string[]): string[] =>
  addresses.map((address) => `route del ${address}/${widthOf(address)} dev ${SHARED_LINK}`);

export const noLocalLines = (addresses: readonly string[]): string[] =>
  addresses.map((address) =>
    familyOf(address) === "IPv4" ? `route del local ${address}/32 dev lo` : `addr del ${address}/128 dev lo`,
  );
