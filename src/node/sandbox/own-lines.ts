import { familyOf } from "../../net/ip.ts";
import type { OwnSandbox } from "./sandbox.ts";

const UID_START = /^[0-9a-f]{8}/;

/** The names and addresses of a pod's network. Throws for a uid which does not begin with eight hexadecimal digits. */
export function sandboxOf(uid: string, addresses: readonly string[]): OwnSandbox {
  const start = UID_START.exec(uid)?.[0];
  if (start === undefined) {
    throw new Error(`naming a pod's network: the uid ${JSON.stringify(uid)} does not begin with 8 hexadecimal digits`);
  }
  const bytes = start.match(/../g)!.join(":");
  return {
    network: "own",
    namespace: `fl-${start}`,
    link: `fl${start}`,
    // Locally administered, unicast (IEEE 802): the second byte tells the two ends apart.
    podMac: `02:01:${bytes}`,
    nodeMac: `02:02:${bytes}`,
    addresses,
  };
}

const widthOf = (address: string): number => (familyOf(address) === "IPv4" ? 32 : 128);

/** What `ip -batch` must do on the node: routes and permanent neighbours, so that no packet waits for ARP or NDP. */
export const nodeLines = (sandbox: OwnSandbox): string[] => [
  `netns add ${sandbox.namespace}`,
  `link add ${sandbox.link} address ${sandbox.nodeMac} type veth peer name eth0 address ${sandbox.podMac} netns ${sandbox.namespace}`,
  `link set ${sandbox.link} addrgenmode none`,
  `link set ${sandbox.link} up`,
  ...sandbox.addresses.flatMap((address) => [
    `neigh replace ${address} lladdr ${sandbox.podMac} dev ${sandbox.link} nud permanent`,
    `route replace ${address}/${widthOf(address)} dev ${sandbox.link}`,
  ]),
];

/** What `ip -batch` must do in the pod's namespace: everything goes to the gateway of its family. */
export const podLines = (sandbox: OwnSandbox, gateways: readonly string[]): string[] => [
  "link set lo up",
  "link set eth0 addrgenmode none",
  "link set eth0 up",
  ...sandbox.addresses.flatMap((address) => {
    const gateway = gateways.find((candidate) => familyOf(candidate) === familyOf(address));
    const own = `addr add ${address}/${widthOf(address)} dev eth0${familyOf(address) === "IPv6" ? " nodad" : ""}`;
    if (gateway === undefined) return [own];
    return [
      own,
      `neigh replace ${gateway} lladdr ${sandbox.nodeMac} dev eth0 nud permanent`,
      `route add ${gateway}/${widthOf(gateway)} dev eth0 scope link`,
      `route add default via ${gateway} dev eth0`,
    ];
  }),
];
