import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startSubject, type Answered, type Subject } from "./subject.ts";

let subject: Subject;
before(async () => {
  subject = await startSubject();
});
after(() => subject.close());

const NAMESPACE = "/api/v1/namespaces/default";
const SERVICES = `${NAMESPACE}/services`;
const SLICES = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices";
const TABLE = { headers: { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" } };
const MERGE = { headers: { "content-type": "application/merge-patch+json" } };

const table = async (path: string): Promise<Answered["body"]> => {
  const { code, body, text } = await subject.ask("GET", path, undefined, TABLE);
  assert.equal(code, 200, text);
  assert.equal(body.kind, "Table");
  assert.equal(body.apiVersion, "meta.k8s.io/v1");
  return body;
};
/** `Name Age Selector(w)`: wide columns are those of priority 1. */
const columns = async (path: string): Promise<string> =>
  (await table(path)).columnDefinitions
    .map(({ name, priority }: { name: string; priority: number }) => name + (priority === 1 ? "(w)" : ""))
    .join(" · ");

for (const [id, path, expected] of [
  ["SVC-309", SERVICES, "Name · Type · Cluster-IP · External-IP · Port(s) · Age · Selector(w)"],
  ["SVC-310", `${NAMESPACE}/endpoints`, "Name · Endpoints · Age"],
  ["SVC-311", SLICES, "Name · AddressType · Ports · Endpoints · Age"],
  ["SVC-314", "/apis/networking.k8s.io/v1/servicecidrs", "Name · CIDRs · Age"],
  ["SVC-315", "/apis/networking.k8s.io/v1/ipaddresses", "Name · ParentRef"],
  [
    "SVC-316",
    `${NAMESPACE}/pods`,
    "Name · Ready · Status · Restarts · Age · IP(w) · Node(w) · Nominated Node(w) · Readiness Gates(w)",
  ],
  [
    "SVC-317",
    "/api/v1/nodes",
    "Name · Status · Roles · Age · Version · Internal-IP(w) · External-IP(w) · OS-Image(w) · Kernel-Version(w) · Container-Runtime(w)",
  ],
  ["SVC-322", "/api/v1/namespaces", "Name · Status · Age"],
  ["SVC-323", `${NAMESPACE}/configmaps`, "Name · Data · Age"],
  ["SVC-324", `${NAMESPACE}/secrets`, "Name · Type · Data · Age"],
  [
    "SVC-325",
    `${NAMESPACE}/events`,
    "Last Seen · Type · Reason · Object · Subobject(w) · Source(w) · Message · First Seen(w) · Count(w) · Name(w)",
  ],
] as const) {
  void test(`${id}: the columns of ${path.split("/").at(-1)}`, async () => {
    assert.equal(await columns(path), expected);
  });
}

async function made(path: string, body: object, status?: object): Promise<void> {
  const { code, text, body: object } = await subject.ask("POST", path, body);
  assert.equal(code, 201, text);
  if (status === undefined) return;
  const changed = await subject.ask("PATCH", `${path}/${object.metadata.name}/status`, { status }, MERGE);
  assert.equal(changed.code, 200, changed.text);
}

/** The cells of an object's row by the names of their columns. */
async function cells(path: string, name: string): Promise<Record<string, unknown>> {
  const { columnDefinitions, rows } = await table(`${path}/${name}`);
  assert.equal(rows.length, 1);
  return Object.fromEntries(
    columnDefinitions.map((column: { name: string }, index: number) => [column.name, rows[0].cells[index]]),
  );
}

const service = (name: string, spec: object) => ({ metadata: { name }, spec: { ports: [{ port: 80 }], ...spec } });

void test("SVC-315: rows of IPAddress carry the age as a third cell without a column", async () => {
  await made(SERVICES, service("aged", { clusterIP: "10.96.0.77" }));
  const { rows, columnDefinitions } = await table("/apis/networking.k8s.io/v1/ipaddresses/10.96.0.77");
  assert.equal(columnDefinitions.length, 2);
  assert.equal(rows[0].cells.length, 3);
  assert.match(rows[0].cells[2], /^\d+s$/);
});

void test("SVC-327, SVC-328, SVC-330, SVC-331, SVC-332: the cells of a Service", async () => {
  await made(SERVICES, service("plain", { selector: { b: "2", a: "1" }, clusterIP: "10.96.0.50" }));
  const plain = await cells(SERVICES, "plain");
  assert.equal(plain["Cluster-IP"], "10.96.0.50");
  assert.equal(plain["External-IP"], "<none>");
  assert.equal(plain["Port(s)"], "80/TCP");
  assert.equal(plain["Selector"], "a=1,b=2");
  assert.match(String(plain["Age"]), /^\d+s$/);
  await made(SERVICES, service("headless", { clusterIP: "None", ports: [] }));
  const headless = await cells(SERVICES, "headless");
  assert.equal(headless["Cluster-IP"], "None");
  assert.equal(headless["Port(s)"], "<none>");
  assert.equal(headless["Selector"], "<none>");
  const ports = [
    { name: "a", port: 80, nodePort: 30080 },
    { name: "b", port: 53, protocol: "UDP", nodePort: 30053 },
  ];
  await made(SERVICES, service("node", { type: "NodePort", externalIPs: ["192.0.2.1", "192.0.2.2"], ports }));
  const node = await cells(SERVICES, "node");
  assert.equal(node["External-IP"], "192.0.2.1,192.0.2.2");
  assert.equal(node["Port(s)"], "80:30080/TCP,53:30053/UDP");
  await made(SERVICES, service("outside", { type: "ExternalName", externalName: "example.com", ports: [] }));
  const outside = await cells(SERVICES, "outside");
  assert.equal(outside["Cluster-IP"], "<none>");
  assert.equal(outside["External-IP"], "example.com");
});

void test("SVC-329: the external address of a load balancer: pending, sorted once each, cut, with external IPs behind", async () => {
  const balancer = (name: string, spec: object, ingress: object[]) =>
    made(SERVICES, service(name, { type: "LoadBalancer", ...spec }), { loadBalancer: { ingress } });
  await balancer("pending", {}, []);
  assert.equal((await cells(SERVICES, "pending"))["External-IP"], "<pending>");
  await balancer("one", {}, [{ ip: "192.0.2.9" }]);
  assert.equal((await cells(SERVICES, "one"))["External-IP"], "192.0.2.9");
  await balancer("named", {}, [{ hostname: "b.example" }, { hostname: "b.example" }]);
  assert.equal((await cells(SERVICES, "named"))["External-IP"], "b.example");
  await balancer("extra", { externalIPs: ["192.0.2.1"] }, [{ ip: "192.0.2.9" }]);
  assert.equal((await cells(SERVICES, "extra"))["External-IP"], "192.0.2.9,192.0.2.1");
  await balancer("several", {}, [{ ip: "192.0.2.20" }, { ip: "192.0.2.10" }]);
  assert.equal((await cells(SERVICES, "several"))["External-IP"], "192.0.2.10,192.0.2.20");
});

void test("SVC-333, SVC-334: the endpoints cell", async () => {
  const path = `${NAMESPACE}/endpoints`;
  const cell = async (name: string, subsets: unknown): Promise<unknown> => {
    await made(path, { metadata: { name }, subsets });
    return (await cells(path, name))["Endpoints"];
  };
  const addresses = ["10.0.0.1", "10.0.0.2"].map((ip) => ({ ip }));
  const ports = [
    { name: "a", port: 80 },
    { name: "b", port: 81 },
  ];
  assert.equal(await cell("none", []), "<none>");
  assert.equal(await cell("unready", [{ notReadyAddresses: addresses, ports: [{ port: 80 }] }]), "");
  assert.equal(await cell("one", [{ addresses: [{ ip: "fd00::1" }], ports: [{ port: 80 }] }]), "[fd00::1]:80");
  assert.equal(await cell("two", [{ addresses, ports: [{ port: 80 }] }]), "10.0.0.1:80,10.0.0.2:80");
  assert.equal(await cell("more", [{ addresses, ports }]), "10.0.0.1:80,10.0.0.2:80,10.0.0.1:81 + 1 more...");
  assert.equal(await cell("bare", [{ addresses }]), "10.0.0.1,10.0.0.2");
});

void test("SVC-335, SVC-336: the cells of an EndpointSlice", async () => {
  const slice = async (name: string, ports: object[], addresses: string[]): Promise<[unknown, unknown]> => {
    const endpoints = addresses.map((address) => ({ addresses: [address], conditions: { ready: false } }));
    await made(SLICES, { metadata: { name }, addressType: "IPv4", ports, endpoints });
    const row = await cells(SLICES, name);
    return [row["Ports"], row["Endpoints"]];
  };
  assert.deepEqual(await slice("empty", [], []), ["<unset>", "<unset>"]);
  assert.deepEqual(await slice("all", [{}], ["10.0.0.1"]), ["<unset>", "10.0.0.1"]);
  assert.deepEqual(await slice("named", [{ name: "a" }, { name: "b", port: 80 }], []), ["a,80", "<unset>"]);
  const ports = [1, 2, 3, 4, 5].map((port) => ({ name: `p${port}`, port }));
  const addresses = [1, 2, 3, 4].map((last) => `10.0.0.${last}`);
  assert.deepEqual(await slice("many", ports, addresses), [
    "1,2,3 + 2 more...",
    "10.0.0.1,10.0.0.2,10.0.0.3 + 1 more...",
  ]);
});

void test("SVC-339: the ranges of a ServiceCIDR, and what holds an IPAddress", async () => {
  const networking = "/apis/networking.k8s.io/v1";
  assert.equal((await cells(`${networking}/servicecidrs`, "kubernetes"))["CIDRs"], "10.96.0.0/16,fd00:10:96::/112");
  const held = async (ip: string, parentRef: object): Promise<unknown> => {
    await made(`${networking}/ipaddresses`, { metadata: { name: ip }, spec: { parentRef } });
    return (await cells(`${networking}/ipaddresses`, ip))["ParentRef"];
  };
  const things = { group: "example.com", resource: "Things", name: "B" };
  assert.equal(await held("10.96.0.200", { ...things, namespace: "a" }), "things.example.com/a/B");
  assert.equal(await held("10.96.0.201", things), "things.example.com/B");
  await made(SERVICES, service("holder", { clusterIP: "10.96.0.60" }));
  assert.equal((await cells(`${networking}/ipaddresses`, "10.96.0.60"))["ParentRef"], "services/default/holder");
});

const pod = (name: string, spec: object = {}) => ({
  metadata: { name },
  spec: { containers: [{ name: "main", image: "x" }], nodeName: "n1", ...spec },
});
const PODS = `${NAMESPACE}/pods`;
const running = (more: object = {}) => ({
  name: "main",
  ready: true,
  restartCount: 0,
  image: "x",
  imageID: "",
  state: { running: { startedAt: "2026-01-01T00:00:00Z" } },
  ...more,
});

void test("SVC-340: a pod's readiness and status", async () => {
  const row = async (name: string, spec: object, status: object): Promise<[unknown, unknown]> => {
    await made(PODS, pod(name, spec), status);
    const found = await cells(PODS, name);
    return [found["Ready"], found["Status"]];
  };
  const state = (waiting: object) => running({ ready: false, state: waiting });
  const two = {
    containers: [
      { name: "main", image: "x" },
      { name: "side", image: "x" },
    ],
  };
  assert.deepEqual(await row("pending", {}, { phase: "Pending" }), ["0/1", "Pending"]);
  assert.deepEqual(
    await row("running", two, {
      phase: "Running",
      containerStatuses: [running(), running({ name: "side", ready: false })],
    }),
    ["1/2", "Running"],
  );
  assert.deepEqual(await row("evicted", {}, { phase: "Failed", reason: "Evicted" }), ["0/1", "Evicted"]);
  const waiting = { waiting: { reason: "CrashLoopBackOff" } };
  assert.deepEqual(await row("loop", {}, { phase: "Running", containerStatuses: [state(waiting)] }), [
    "0/1",
    "CrashLoopBackOff",
  ]);
  const ended = (name: string, terminated: object) =>
    row(name, {}, { phase: "Failed", containerStatuses: [state({ terminated: { exitCode: 0, ...terminated } })] });
  assert.deepEqual(await ended("error", { exitCode: 1, reason: "Error" }), ["0/1", "Error"]);
  assert.deepEqual(await ended("code", { exitCode: 3 }), ["0/1", "ExitCode:3"]);
  assert.deepEqual(await ended("signal", { exitCode: 137, signal: 9 }), ["0/1", "Signal:9"]);
  assert.deepEqual(await ended("completed", { reason: "Completed" }), ["0/1", "Completed"]);
  const initial = {
    initContainers: [
      { name: "i", image: "x" },
      { name: "j", image: "x" },
    ],
  };
  const init = (name: string, first: object) =>
    row(name, initial, { phase: "Pending", initContainerStatuses: [running({ name: "i", ...first })] });
  assert.deepEqual(await init("init", { ready: false }), ["0/1", "Init:0/2"]);
  assert.deepEqual(
    await init("init-error", { ready: false, state: { terminated: { exitCode: 1, reason: "Error" } } }),
    ["0/1", "Init:Error"],
  );
  assert.deepEqual(await init("init-code", { ready: false, state: { terminated: { exitCode: 4 } } }), [
    "0/1",
    "Init:ExitCode:4",
  ]);
  const gated = { nodeName: undefined, schedulingGates: [{ name: "example.com/wait" }] };
  const conditions = [{ type: "PodScheduled", status: "False", reason: "SchedulingGated" }];
  assert.deepEqual(await row("gated", gated, { phase: "Pending", conditions }), ["0/1", "SchedulingGated"]);
  const sidecar = { initContainers: [{ name: "s", image: "x", restartPolicy: "Always" }] };
  assert.deepEqual(
    await row("sidecar", sidecar, {
      phase: "Running",
      initContainerStatuses: [running({ name: "s", started: true })],
      containerStatuses: [running()],
      conditions: [{ type: "Initialized", status: "True" }],
    }),
    ["2/2", "Running"],
  );
  await subject.ask("DELETE", `${PODS}/running`);
  assert.equal((await cells(PODS, "running"))["Status"], "Terminating");
});

void test("SVC-341: restarts, with how long ago the last one was", async () => {
  await made(PODS, pod("fresh"), { phase: "Running", containerStatuses: [running()] });
  assert.equal((await cells(PODS, "fresh"))["Restarts"], "0");
  const finishedAt = new Date(Date.now() - 3_600_000).toISOString().replace(/\.\d+/, "");
  const lastState = { terminated: { exitCode: 1, finishedAt } };
  await made(PODS, pod("restarted"), {
    phase: "Running",
    containerStatuses: [running({ restartCount: 3, lastState })],
  });
  assert.equal((await cells(PODS, "restarted"))["Restarts"], "3 (60m ago)");
});

void test("SVC-342: what wide output adds of a pod", async () => {
  await made(PODS, pod("bare", { nodeName: undefined }));
  const bare = await cells(PODS, "bare");
  for (const name of ["IP", "Node", "Nominated Node", "Readiness Gates"]) assert.equal(bare[name], "<none>", name);
  const gates = [{ conditionType: "example.com/a" }, { conditionType: "example.com/b" }];
  await made(PODS, pod("wide", { readinessGates: gates }), {
    phase: "Running",
    podIP: "10.244.0.1",
    podIPs: [{ ip: "10.244.0.1" }, { ip: "fd00::1" }],
    conditions: [{ type: "example.com/a", status: "True" }],
  });
  const wide = await cells(PODS, "wide");
  assert.equal(wide["IP"], "10.244.0.1");
  assert.equal(wide["Node"], "n1");
  assert.equal(wide["Readiness Gates"], "1/2");
  await made(PODS, pod("nominated", { nodeName: undefined }), { nominatedNodeName: "n2" });
  assert.equal((await cells(PODS, "nominated"))["Nominated Node"], "n2");
});

void test("SVC-343: a Node's status and roles", async () => {
  const node = async (
    name: string,
    metadata: object,
    spec: object,
    conditions: object[],
  ): Promise<[unknown, unknown]> => {
    await made("/api/v1/nodes", { metadata: { name, ...metadata }, spec }, { conditions });
    const row = await cells("/api/v1/nodes", name);
    return [row["Status"], row["Roles"]];
  };
  const ready = (status: string) => [{ type: "Ready", status }];
  assert.deepEqual(await node("a", {}, {}, ready("True")), ["Ready", "<none>"]);
  assert.deepEqual(await node("b", {}, {}, ready("False")), ["NotReady", "<none>"]);
  const labels = {
    "node-role.kubernetes.io/worker": "",
    "node-role.kubernetes.io/control-plane": "",
    "kubernetes.io/role": "edge",
  };
  assert.deepEqual(await node("d", { labels }, { unschedulable: true }, ready("True")), [
    "Ready,SchedulingDisabled",
    "control-plane,edge,worker",
  ]);
  await subject.ask("POST", "/api/v1/nodes", { metadata: { name: "c" } });
  assert.equal((await cells("/api/v1/nodes", "c"))["Status"], "Unknown");
});

void test("SVC-345: a row holds the object's metadata, the object, or nothing of it", async () => {
  await made(SERVICES, service("held", {}));
  const row = async (query: string): Promise<Answered["body"]> =>
    (await table(`${SERVICES}/held${query}`)).rows[0].object;
  const metadata = await row("");
  assert.equal(metadata.kind, "PartialObjectMetadata");
  assert.equal(metadata.metadata.name, "held");
  assert.equal(metadata.spec, undefined);
  assert.deepEqual(await row("?includeObject=Metadata"), metadata);
  assert.equal((await row("?includeObject=Object")).spec.ports[0].port, 80);
  assert.equal(await row("?includeObject=None"), null);
  const { code } = await subject.ask("GET", `${SERVICES}/held?includeObject=All`, undefined, TABLE);
  assert.equal(code, 400);
});

void test("SVC-345: a kind without columns of its own has its name and when it was created", async () => {
  const { columnDefinitions } = await table("/apis/rbac.authorization.k8s.io/v1/clusterroles?limit=1");
  assert.deepEqual(
    columnDefinitions.map(({ name }: { name: string }) => name),
    ["Name", "Created At"],
  );
});
