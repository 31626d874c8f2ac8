import { NODE } from "../lab/network.ts";
import { slices } from "../lab/objects.ts";
import { node, same, type Answered, type Group, type Row } from "./row.ts";
import { everyWay, type From, type To } from "./ways.ts";

const ONE: Answered = node("pod1");
const AROUND: readonly From[] = ["pod2", "node", "client"];
const CASES: Group["cases"] = {
  one: { ...everyWay(1), pods: ["pod1"] },
  empty: { ...everyWay(4), pods: [] },
};

const at = (name: string, to: To, expected: Row["expected"], more: Partial<Row> = {}): Row => ({
  name,
  service: "one",
  to,
  expected,
  ...more,
});

const LOOPBACK: readonly Row[] = [
  at(
    "PRX-081: node ports on 127.0.0.1, and the pod sees the node",
    "loopbackNodePort",
    { node: ONE },
    {
      families: ["IPv4"],
      unless: { loopbackNodePorts: { node: "refused" } },
    },
  ),
  at(
    "PRX-081: node ports on ::1, and the pod sees the node",
    "loopbackNodePort",
    { node: ONE },
    {
      families: ["IPv6"],
      unless: { loopbackNodePortsIPv6: { node: "refused" } },
    },
  ),
];

/** Node ports: on which addresses, for which protocol. */
export const NODE_PORTS: readonly Group[] = [
  {
    title: "node ports on one address",
    cases: {
      ...CASES,
      // TCP to one pod, UDP to another, by one number.
      apart: {
        ...everyWay(50),
        slices: (name) => [...slices(`${name}-tcp`, ["pod1"], ["tcp"], name), ...slices(name, ["pod2"], ["udp"])],
      },
    },
    rows: [
      at("PRX-078: an address that is not named has no node ports", "nodePortOnNode2Side", same("refused", AROUND)),
      at(
        "PRX-048: nor has it the refusals of empty ones, but the node's own",
        "nodePortOnNode2Side",
        same("refused", AROUND),
        {
          service: "empty",
        },
      ),
      ...(["TCP", "UDP"] as const).map((protocol) =>
        at(
          `PRX-087: node port 30050 of ${protocol} is its own`,
          "nodePort",
          same(node(protocol === "TCP" ? "pod1" : "pod2"), ["node", "client"]),
          { service: "apart", protocols: [protocol] },
        ),
      ),
    ],
  },
  {
    title: "node ports on several addresses",
    node: {
      nodePortAddresses: { IPv4: [NODE.IPv4.client, NODE.IPv4.node2], IPv6: [NODE.IPv6.client, NODE.IPv6.node2] },
    },
    cases: CASES,
    rows: [
      at("PRX-077: the first of several addresses", "nodePort", same(ONE, AROUND)),
      at("PRX-077: the second of several addresses", "nodePortOnNode2Side", same(ONE, AROUND)),
      at("PRX-048: an empty one refuses on both", "nodePortOnNode2Side", same("refused", AROUND), {
        service: "empty",
        by: "refusalWithoutEndpoints",
      }),
      at("PRX-078: and on no third", "nodePortOnPodsSide", same("refused", AROUND)),
    ],
  },
  {
    title: "node ports in one family",
    node: { nodePortAddresses: { IPv4: [NODE.IPv4.client], IPv6: [] } },
    cases: CASES,
    rows: [
      at("PRX-078: the family that is named has them", "nodePort", same(ONE, AROUND), { families: ["IPv4"] }),
      at("PRX-078: the other has not", "nodePort", same("refused", AROUND), { families: ["IPv6"] }),
    ],
  },
  {
    title: "node ports on all addresses",
    node: { nodePortAddresses: { IPv4: "all", IPv6: "all" } },
    cases: CASES,
    rows: [
      ...(["nodePort", "nodePortOnNode2Side", "nodePortOnPodsSide"] as const).map((to) =>
        at(`PRX-077: all addresses, ${to}`, to, same(ONE, AROUND)),
      ),
      at("PRX-045, PRX-077: an empty one refuses on all", "nodePortOnPodsSide", same("refused", AROUND), {
        service: "empty",
        by: "refusalWithoutEndpoints",
      }),
      ...LOOPBACK,
    ],
  },
  {
    title: "node ports on an address of the loopback that is named",
    node: {
      nodePortAddresses: { IPv4: [NODE.IPv4.client, "127.0.0.1"], IPv6: [NODE.IPv6.client, "::1"] },
    },
    cases: CASES,
    rows: [
      ...LOOPBACK.map((row): Row => ({ ...row, name: row.name.replace("PRX-081", "PRX-080, PRX-081") })),
      at("PRX-077: and the other address beside it", "nodePort", same(ONE, AROUND)),
    ],
  },
  {
    title: "node ports not on the loopback",
    node: { nodePortAddresses: { IPv4: "all", IPv6: "all" }, localhostNodePorts: false },
    cases: CASES,
    rows: [
      at("PRX-081: loopback addresses have none when localhostNodePorts is false", "loopbackNodePort", {
        node: "refused",
      }),
    ],
  },
];
