import { clusterIP, externalIP } from "../lab/objects.ts";
import { NODE, PORT } from "../lab/network.ts";
import { kept, node, same, type Case, type Group } from "./row.ts";
import { everyWay, nodePorts } from "./ways.ts";

const single = (number: number, family: "IPv4" | "IPv6"): Case => ({
  number,
  spec: {
    type: "NodePort",
    clusterIP: clusterIP(number, family),
    clusterIPs: [clusterIP(number, family)],
    ipFamilies: [family],
    ports: nodePorts(number),
    externalIPs: [externalIP(number, "IPv4"), externalIP(number, "IPv6")],
  },
  pods: ["pod1", "pod2"],
});

const own = (number: number): Case => ({
  number,
  spec: {
    ports: [
      { name: "tcp", port: PORT, protocol: "TCP" },
      { name: "udp", port: PORT, protocol: "UDP" },
    ],
    externalIPs: [NODE.IPv4.client, NODE.IPv6.client],
  },
  pods: ["pod1", "pod2"],
});

const shared = (number: number, pods: Case["pods"] & {}): Case => ({
  number,
  spec: { externalIPs: [externalIP(90, "IPv4"), externalIP(90, "IPv6")] },
  pods,
});

/** Which addresses are carried, and for whom. */
export const ADDRESSES: readonly Group[] = [
  {
    title: "families and shared addresses",
    fresh: true,
    cases: {
      four: single(40, "IPv4"),
      six: single(41, "IPv6"),
      own: own(43),
      // The addresses of a Service give its age.
      older: shared(44, ["pod1"]),
      younger: shared(45, ["pod2"]),
      gone: { ...everyWay(46), pods: ["pod1"] },
      both: { ...everyWay(90), spec: {}, pods: [] },
    },
    removed: ["gone", "both"],
    rows: [
      ...(["four", "six"] as const).flatMap((service) => {
        const family = service === "four" ? "IPv4" : "IPv6";
        const other = service === "four" ? "IPv6" : "IPv4";
        return [
          {
            name: `PRX-006: a Service with ${family} alone is carried in it`,
            service,
            to: "externalIP",
            expected: same(node("pod1", "pod2")),
            families: [family],
          },
          {
            name: `PRX-006, PRX-042: and its ${other} externalIP is not`,
            service,
            to: "externalIP",
            expected: same("unanswered"),
            families: [other],
          },
          {
            name: `PRX-006: nor its node port in ${other}`,
            service,
            to: "nodePort",
            expected: same("refused"),
            families: [other],
          },
        ] as const;
      }),
      {
        name: "PRX-043: an externalIP that is the node's own goes before the host's own listener",
        service: "own",
        to: "ownListener",
        expected: same(node("pod1", "pod2")),
      },
      {
        name: "PRX-044: of two Services with one externalIP the older has it",
        service: "both",
        to: "externalIP",
        expected: same(node("pod1")),
      },
      {
        name: "PRX-051, PRX-072: the clusterIP of a Service that is gone is an unassigned address",
        service: "gone",
        to: "clusterIP",
        expected: same("dropped"),
        by: "dropOfUnassignedAddresses",
      },
      {
        name: "PRX-051: the node port of a Service that is gone is the node's own",
        service: "gone",
        to: "nodePort",
        expected: same("refused"),
      },
      {
        name: "PRX-051: the VIP of a Service that is gone is nobody's",
        service: "gone",
        to: "vip",
        expected: same("unanswered"),
      },
    ],
  },
  {
    title: "a node of one family",
    fresh: true,
    node: { families: ["IPv4"] },
    cases: { dual: { ...everyWay(1), pods: ["pod1", "pod2"] } },
    rows: [
      {
        name: "PRX-262: a node with IPv4 alone carries a Service with two clusterIPs in IPv4",
        service: "dual",
        to: "clusterIP",
        expected: { pod1: kept("pod1", "pod2"), node: node("pod1", "pod2"), client: node("pod1", "pod2") },
        families: ["IPv4"],
      },
      {
        name: "PRX-262: and not in IPv6",
        service: "dual",
        to: "clusterIP",
        expected: same("unanswered"),
        families: ["IPv6"],
      },
    ],
  },
];
