import assert from "node:assert/strict";
import { test } from "node:test";
import type { Node, NodeSelectorTerm, PersistentVolumeClaim, Pod } from "../../api/generated/types.ts";
import { node, pod } from "../../../test/controllers/examples.ts";
import { awaitsNode, chooseNode } from "./choose.ts";
import type { HostPort } from "./host-ports.ts";
import type { NodeLoad } from "./load.ts";
import { SELECTED_NODE } from "../claims/decide.ts";
import { candidateOf } from "./obstacle.ts";
import { unweighed } from "./unweighed.ts";

const waiting = (spec: Partial<NonNullable<Pod["spec"]>> = {}): Pod =>
  pod("a", { spec: { nodeName: undefined, ...spec } });
const none = (): NodeLoad => loaded(0);
const loaded = (pods: number, requests: Record<string, bigint> = {}, hostPorts: HostPort[] = []): NodeLoad => ({
  pods,
  requested: (name) => requests[name] ?? 0n,
  hostPorts,
});
/** The choice for a pod in a namespace with these claims. */
const choose = (
  wanted: Pod,
  nodes: readonly Node[],
  loadOn = none as (node: string) => NodeLoad,
  claims: PersistentVolumeClaim[] = [],
) =>
  chooseNode(
    candidateOf(wanted, (name) => claims.find(({ metadata }) => metadata.name === name)),
    nodes,
    loadOn,
  );

test("the node with the fewest pods is chosen, by name among equals", () => {
  const counts: Record<string, number> = { n1: 2, n2: 1, n3: 1 };
  const nodes = ["n3", "n1", "n2"].map((name) => node(name));
  assert.deepEqual(
    choose(waiting(), nodes, (name) => loaded(counts[name] ?? 0)),
    { node: "n2" },
  );
});

const cordoned: Node = { ...node("n", { disk: "slow" }), spec: { unschedulable: true } };
const tainted: Node = { ...node("n"), spec: { taints: [{ key: "gpu", value: "yes", effect: "NoSchedule" }] } };
const unready: Node = { ...node("n"), status: { conditions: [{ type: "Ready", status: "Unknown" }] } };
const small: Node = { ...node("n"), status: { ...node("n").status, allocatable: { pods: "3" } } };

for (const [what, nodes, spec, refused] of [
  ["there is no node", [], {}, "no nodes available to schedule pods"],
  ["the node is cordoned", [cordoned], {}, "0/1 nodes are available: 1 node(s) were unschedulable."],
  ["the node is not ready", [unready], {}, "0/1 nodes are available: 1 node(s) were not ready."],
  [
    "no node has the label",
    [node("n")],
    { nodeSelector: { disk: "fast" } },
    "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.",
  ],
  ["a taint is not tolerated", [tainted], {}, "0/1 nodes are available: 1 node(s) had untolerated taint {gpu: yes}."],
  [
    "each node has its reason",
    [tainted, unready, cordoned],
    {},
    "0/3 nodes are available: 1 node(s) had untolerated taint {gpu: yes}, 1 node(s) were not ready, 1 node(s) were unschedulable.",
  ],
  ["the node is full", [small], {}, "0/1 nodes are available: 1 Too many pods."],
] as const) {
  test(`a pod is refused when ${what}`, () => {
    assert.deepEqual(
      choose(waiting(spec), nodes, () => loaded(3)),
      { refused },
    );
  });
}

for (const [what, chosen, spec] of [
  ["it has the label", node("n", { disk: "fast" }), { nodeSelector: { disk: "fast" } }],
  ["the taint is tolerated by value", tainted, { tolerations: [{ key: "gpu", value: "yes" }] }],
  ["all taints are tolerated", tainted, { tolerations: [{ operator: "Exists" }] }],
  [
    "the cordon is tolerated",
    cordoned,
    { tolerations: [{ key: "node.kubernetes.io/unschedulable", operator: "Exists" }] },
  ],
  ["it has room", small, {}],
] as const) {
  test(`a node is taken when ${what}`, () => {
    assert.deepEqual(choose(waiting(spec as object), [chosen]), { node: "n" });
  });
}

test("a toleration of another value or effect is none", () => {
  for (const toleration of [
    { key: "gpu", value: "no" },
    { key: "gpu", operator: "Exists", effect: "NoExecute" },
  ]) {
    assert.ok("refused" in choose(waiting({ tolerations: [toleration] }), [tainted]));
  }
});

test("only pods without a node, that want our scheduler, are neither gated, ended nor ending, are waited for", () => {
  assert.equal(awaitsNode(waiting()), true);
  assert.equal(awaitsNode(pod("a")), false);
  assert.equal(awaitsNode(waiting({ schedulerName: "other" })), false);
  assert.equal(awaitsNode(waiting({ schedulingGates: [{ name: "g" }] })), false);
  assert.equal(awaitsNode(pod("a", { phase: "Failed", spec: { nodeName: undefined } })), false);
  assert.equal(awaitsNode(pod("a", { deleting: true, spec: { nodeName: undefined } })), false);
});

const container = (name: string, more: object) => ({ name, image: "i", ...more });
const GIGA = 1_000_000_000n;

test("requests are held against what the node has left, init containers and sidecars as they run", () => {
  const roomy: Node = { ...node("n"), status: { ...node("n").status, allocatable: { cpu: "2", memory: "1Gi" } } };
  const wants = (cpu: string, more: object = {}) =>
    waiting({ containers: [container("c", { resources: { requests: { cpu } } })], ...more });
  const half = () => loaded(1, { cpu: GIGA });
  assert.deepEqual(choose(wants("1"), [roomy], half), { node: "n" });
  assert.deepEqual(choose(wants("1001m"), [roomy], half), { refused: "0/1 nodes are available: 1 Insufficient cpu." });
  const sidecar = container("s", { restartPolicy: "Always", resources: { requests: { cpu: "500m" } } });
  assert.ok("refused" in choose(wants("600m", { initContainers: [sidecar] }), [roomy], half));
  const gpu = waiting({ containers: [container("c", { resources: { requests: { "example.com/gpu": "1" } } })] });
  assert.deepEqual(choose(gpu, [roomy]), { refused: "0/1 nodes are available: 1 Insufficient example.com/gpu." });
});

test("CTL-122: a host port is had once for each address and protocol, and 0.0.0.0 is all addresses", () => {
  const wants = (hostPort: number, hostIP?: string, protocol?: string) =>
    waiting({ containers: [container("c", { ports: [{ containerPort: 80, hostPort, hostIP, protocol }] })] });
  const taken = (ip: string) => () => loaded(1, {}, [{ ip, port: 8080, protocol: "TCP" }]);
  const refused = { refused: "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports." };
  for (const [wanted, at, holds] of [
    [wants(8080), "", false],
    [wants(8080, "10.0.0.1"), "", false],
    [wants(8080, "0.0.0.0"), "10.0.0.1", false],
    [wants(8080, "10.0.0.1"), "10.0.0.1", false],
    [wants(8080, "10.0.0.1"), "10.0.0.2", true],
    [wants(8080, undefined, "UDP"), "", true],
    [wants(8081), "", true],
    [waiting({ hostNetwork: true, containers: [container("c", { ports: [{ containerPort: 8080 }] })] }), "", false],
  ] as const) {
    assert.deepEqual(choose(wanted, [node("n")], taken(at)), holds ? { node: "n" } : refused);
  }
});

test("required node affinity: one of the terms, all of its requirements, by labels and by name", () => {
  const on = (...nodeSelectorTerms: NodeSelectorTerm[]): boolean =>
    "node" in
    choose(
      waiting({
        affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } },
      }),
      [node("n", { disk: "ssd", cores: "8" })],
    );
  const label = (key: string, operator: string, ...values: string[]): NodeSelectorTerm => ({
    matchExpressions: [{ key, operator, values }],
  });
  assert.ok(on(label("disk", "In", "hdd", "ssd")));
  assert.ok(!on(label("disk", "NotIn", "ssd")));
  assert.ok(on(label("gpu", "NotIn", "yes")));
  assert.ok(on(label("disk", "Exists")));
  assert.ok(on(label("gpu", "DoesNotExist")));
  assert.ok(on(label("cores", "Gt", "7")) && !on(label("cores", "Gt", "8")) && on(label("cores", "Lt", "9")));
  assert.ok(!on(label("disk", "Gt", "1")));
  assert.ok(on(label("gpu", "Exists"), label("disk", "Exists")), "one of two");
  assert.ok(
    !on({
      matchExpressions: [...label("disk", "Exists").matchExpressions!, ...label("gpu", "Exists").matchExpressions!],
    }),
  );
  assert.ok(!on({}), "a term that requires nothing");
  assert.ok(on({ matchFields: [{ key: "metadata.name", operator: "In", values: ["n"] }] }));
  assert.ok(!on({ matchFields: [{ key: "metadata.name", operator: "In", values: ["m"] }] }));
});

test("a pod goes where its volumes are, and waits for a claim that is not there", () => {
  const claim = (annotations: Record<string, string>): PersistentVolumeClaim => ({
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { namespace: "shop", name: "data", annotations },
  });
  const wanted = waiting({ volumes: [{ name: "v", persistentVolumeClaim: { claimName: "data" } }] });
  const nodes = [node("n"), node("m")];
  assert.deepEqual(choose(wanted, nodes, none, []), { refused: 'persistentvolumeclaim "data" not found' });
  assert.deepEqual(choose(wanted, nodes, none, [claim({})]), { node: "m" });
  assert.deepEqual(choose(wanted, nodes, none, [claim({ [SELECTED_NODE]: "n" })]), { node: "n" });
  assert.deepEqual(choose(wanted, [node("m")], none, [claim({ [SELECTED_NODE]: "n" })]), {
    refused: "0/1 nodes are available: 1 node(s) had volume node affinity conflict.",
  });
});

test("what is not weighed is known by name", () => {
  assert.deepEqual(unweighed(waiting()), []);
  const affinity = { podAntiAffinity: {} };
  const topologySpreadConstraints = [{ maxSkew: 1, topologyKey: "z", whenUnsatisfiable: "DoNotSchedule" }];
  assert.deepEqual(unweighed(waiting({ affinity, topologySpreadConstraints })), [
    "podAntiAffinity",
    "topologySpreadConstraints",
  ]);
});
