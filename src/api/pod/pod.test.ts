import assert from "node:assert/strict";
import { test } from "node:test";
import { decode } from "../decode.ts";
import type { Container, ContainerStatus, Pod, PodSpec, PodStatus, Probe } from "../generated/types.ts";
import { pod } from "./pod.ts";

const NOW = { now: "2026-01-01T00:00:00Z" };
const C: Container = { name: "c", image: "nginx" };
const read = (spec: Partial<PodSpec>, more: object = {}): Pod => {
  const json = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", namespace: "default" },
    ...more,
    spec: { containers: [C], ...spec },
  };
  const { object, faults, unknown } = decode<Pod>("Pod", JSON.parse(JSON.stringify(json)));
  assert.deepEqual([...faults, ...unknown], []);
  return pod.defaults(object);
};
const faultsOf = (next: Pod, previous?: Pod): string[] =>
  pod.validate(next, previous).map(({ reason, field }) => `${reason.replace("FieldValue", "")} ${field}`);
const container = (more: Partial<Container>): Partial<PodSpec> => ({ containers: [{ ...C, ...more }] });

void test("the defaults of a pod", () => {
  assert.deepEqual(read({}).spec, {
    containers: [
      {
        name: "c",
        image: "nginx",
        imagePullPolicy: "Always",
        resources: {},
        terminationMessagePath: "/dev/termination-log",
        terminationMessagePolicy: "File",
      },
    ],
    restartPolicy: "Always",
    dnsPolicy: "ClusterFirst",
    schedulerName: "default-scheduler",
    terminationGracePeriodSeconds: 30,
    enableServiceLinks: true,
    securityContext: {},
  });
});

void test("defaults inside containers and volumes", () => {
  const { spec } = read({
    containers: [
      {
        ...C,
        image: "localhost:5000/a:1",
        ports: [{ containerPort: 80 }],
        env: [{ name: "IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } }],
        resources: { limits: { cpu: "1", memory: "1Gi" }, requests: { cpu: "2" } },
        readinessProbe: { httpGet: { port: 80 } },
      },
    ],
    volumes: [{ name: "a" }, { name: "b", secret: { secretName: "s" } }, { name: "c", hostPath: { path: "/x" } }],
    hostNetwork: true,
  });
  const [made] = spec!.containers;
  assert.equal(made?.imagePullPolicy, "IfNotPresent");
  assert.deepEqual(made?.ports, [{ containerPort: 80, hostPort: 80, protocol: "TCP" }]);
  assert.equal(made?.env?.[0]?.valueFrom?.fieldRef?.apiVersion, "v1");
  assert.deepEqual(made?.resources?.requests, { cpu: "2", memory: "1Gi" });
  assert.deepEqual(spec?.volumes, [
    { name: "a", emptyDir: {} },
    { name: "b", secret: { secretName: "s", defaultMode: 420 } },
    { name: "c", hostPath: { path: "/x", type: "" } },
  ]);
});

void test("CTL-103: the defaults of a probe", () => {
  assert.deepEqual(read(container({ readinessProbe: { httpGet: { port: 80 } } })).spec?.containers[0]?.readinessProbe, {
    httpGet: { port: 80, path: "/", scheme: "HTTP" },
    timeoutSeconds: 1,
    periodSeconds: 10,
    successThreshold: 1,
    failureThreshold: 3,
  });
});

const probe = (given: Probe): Partial<PodSpec> => container({ livenessProbe: given });
const at = "spec.containers[0]";
const created: [what: string, spec: Partial<PodSpec>, faults: string[]][] = [
  ["a plain pod", {}, []],
  ["no container", { containers: [] }, ["Required spec.containers"]],
  ["a bad name", container({ name: "A" }), [`Invalid ${at}.name`]],
  ["no name", container({ name: "" }), [`Required ${at}.name`]],
  ["one name twice", { containers: [C], initContainers: [C] }, ["Duplicate spec.initContainers[0].name"]],
  ["no image", { containers: [{ name: "c" }] }, [`Required ${at}.image`]],
  ["a command in place of an image", { containers: [{ name: "c", command: ["sleep"] }] }, []],
  ["port 0", container({ ports: [{ containerPort: 0 }] }), [`Required ${at}.ports[0].containerPort`]],
  ["a high port", container({ ports: [{ containerPort: 65536 }] }), [`Invalid ${at}.ports[0].containerPort`]],
  [
    "a long port name",
    container({ ports: [{ containerPort: 1, name: "a".repeat(16) }] }),
    [`Invalid ${at}.ports[0].name`],
  ],
  [
    "one port name twice",
    container({
      ports: [
        { containerPort: 1, name: "a" },
        { containerPort: 2, name: "a" },
      ],
    }),
    [`Duplicate ${at}.ports[1].name`],
  ],
  [
    "one host port twice",
    container({
      ports: [
        { containerPort: 1, hostPort: 9 },
        { containerPort: 2, hostPort: 9 },
      ],
    }),
    [`Duplicate ${at}.ports[1].hostPort`],
  ],
  ["a bad variable", container({ env: [{ name: "A=B" }] }), [`Invalid ${at}.env[0].name`]],
  ["no variable name", container({ env: [{ name: "" }] }), [`Required ${at}.env[0].name`]],
  [
    "a value and a source",
    container({ env: [{ name: "A", value: "1", valueFrom: { fieldRef: { fieldPath: "x" } } }] }),
    [`Invalid ${at}.env[0].valueFrom`],
  ],
  ["an empty envFrom", container({ envFrom: [{}] }), [`Invalid ${at}.envFrom[0]`]],
  [
    "an unknown volume",
    container({ volumeMounts: [{ name: "v", mountPath: "/v" }] }),
    [`NotFound ${at}.volumeMounts[0].name`],
  ],
  [
    "one path twice",
    {
      volumes: [{ name: "v" }],
      ...container({
        volumeMounts: [
          { name: "v", mountPath: "/v" },
          { name: "v", mountPath: "/v" },
        ],
      }),
    },
    [`Invalid ${at}.volumeMounts[1].mountPath`],
  ],
  [
    "a way out of a volume",
    { volumes: [{ name: "v" }], ...container({ volumeMounts: [{ name: "v", mountPath: "/v", subPath: "../x" }] }) },
    [`Invalid ${at}.volumeMounts[0].subPath`],
  ],
  ["two volumes of one name", { volumes: [{ name: "v" }, { name: "v" }] }, ["Duplicate spec.volumes[1].name"]],
  [
    "two sources of a volume",
    { volumes: [{ name: "v", emptyDir: {}, hostPath: { path: "/" } }] },
    ["Forbidden spec.volumes[0].hostPath"],
  ],
  ["a probe that asks nothing", probe({}), [`Required ${at}.livenessProbe`]],
  [
    "a probe with two ways",
    probe({ tcpSocket: { port: 1 }, httpGet: { port: 1 } }),
    [`Forbidden ${at}.livenessProbe.tcpSocket`],
  ],
  ["a probe of a bad port", probe({ tcpSocket: { port: 0 } }), [`Invalid ${at}.livenessProbe.tcpSocket.port`]],
  [
    "CTL-103 success twice",
    probe({ tcpSocket: { port: 1 }, successThreshold: 2 }),
    [`Invalid ${at}.livenessProbe.successThreshold`],
  ],
  [
    "a negative time",
    probe({ tcpSocket: { port: 1 }, timeoutSeconds: -1 }),
    [`Invalid ${at}.livenessProbe.timeoutSeconds`],
  ],
  ["a bad restart policy", { restartPolicy: "Maybe" }, ["NotSupported spec.restartPolicy"]],
  ["a bad pull policy", container({ imagePullPolicy: "Maybe" }), [`NotSupported ${at}.imagePullPolicy`]],
  ["a bad DNS policy", { dnsPolicy: "Maybe" }, ["NotSupported spec.dnsPolicy"]],
  ["no nameserver", { dnsPolicy: "None", dnsConfig: {} }, ["Required spec.dnsConfig.nameservers"]],
  [
    "a bad alias",
    { hostAliases: [{ ip: "x", hostnames: ["A"] }] },
    ["Invalid spec.hostAliases[0].ip", "Invalid spec.hostAliases[0].hostnames[0]"],
  ],
  ["a bad host name", { hostname: "a.b" }, ["Invalid spec.hostname"]],
  ["a bad node selector", { nodeSelector: { "-": "a" } }, ["Invalid spec.nodeSelector"]],
  ["a deadline of 0", { activeDeadlineSeconds: 0 }, ["Invalid spec.activeDeadlineSeconds"]],
];
for (const [what, spec, faults] of created) {
  void test(`${what}: ${faults.join(", ") || "no fault"}`, () => assert.deepEqual(faultsOf(read(spec)), faults));
}

const T = { key: "a", operator: "Exists", effect: "NoExecute" };
const updated: [what: string, was: Partial<PodSpec>, now: Partial<PodSpec>, faults: string[]][] = [
  ["an image", {}, container({ image: "nginx:2", imagePullPolicy: "Always" }), []],
  ["a command", {}, container({ command: ["x"] }), ["Forbidden spec"]],
  ["another container", {}, { containers: [C, { ...C, name: "d" }] }, ["Forbidden spec.containers"]],
  ["a new toleration", { tolerations: [T] }, { tolerations: [T, { ...T, key: "b" }] }, []],
  ["the time of a toleration", { tolerations: [T] }, { tolerations: [{ ...T, tolerationSeconds: 5 }] }, []],
  ["one toleration less", { tolerations: [T] }, { tolerations: [] }, ["Forbidden spec.tolerations"]],
  ["a first deadline", {}, { activeDeadlineSeconds: 5 }, []],
  [
    "a longer deadline",
    { activeDeadlineSeconds: 5 },
    { activeDeadlineSeconds: 6 },
    ["Invalid spec.activeDeadlineSeconds"],
  ],
  ["no deadline any more", { activeDeadlineSeconds: 5 }, {}, ["Invalid spec.activeDeadlineSeconds"]],
  ["the grace", {}, { terminationGracePeriodSeconds: 1 }, ["Forbidden spec"]],
  ["a negative grace", { terminationGracePeriodSeconds: -1 }, { terminationGracePeriodSeconds: 1 }, []],
  ["a first node", {}, { nodeName: "n" }, []],
  ["another node", { nodeName: "n" }, { nodeName: "m" }, ["Forbidden spec"]],
];
for (const [what, was, now, faults] of updated) {
  void test(`an update may${faults.length ? " not" : ""} change ${what}`, () =>
    assert.deepEqual(faultsOf(read(now), read(was)), faults));
}

void test("the refusal of an update lists what may change, in upstream's words", () => {
  const [fault] = pod.validate(read(container({ command: ["x"] })), read({}));
  assert.match(
    fault?.message ?? "",
    /^Forbidden: pod updates may not change fields other than `spec.containers\[\*\].image`/,
  );
});

const graces: [
  what: string,
  spec: Partial<PodSpec>,
  status: PodStatus,
  requested: number | undefined,
  seconds: number,
][] = [
  ["its own time", { nodeName: "n" }, { phase: "Running" }, undefined, 30],
  ["its own other time", { nodeName: "n", terminationGracePeriodSeconds: 5 }, {}, undefined, 5],
  ["what is asked for", { nodeName: "n" }, {}, 2, 2],
  ["nothing when asked so", { nodeName: "n" }, {}, 0, 0],
  ["one second for less than none", { nodeName: "n" }, {}, -3, 1],
  ["nothing before it has a node", {}, {}, 60, 0],
  ["nothing when it has succeeded", { nodeName: "n" }, { phase: "Succeeded" }, 60, 0],
  ["nothing when it has failed", { nodeName: "n" }, { phase: "Failed" }, undefined, 0],
];
for (const [what, spec, status, requested, seconds] of graces) {
  void test(`CTL-109, CTL-110: a deleted pod gets ${what}`, () =>
    assert.equal(pod.graceSeconds?.(read(spec, { status }), requested), seconds));
}

void test("create and update: status, class and generation are the server's", () => {
  const made = pod.prepareForCreate(read({}, { status: { phase: "Running" } }), NOW);
  assert.deepEqual([made.status, made.metadata.generation], [{ phase: "Pending", qosClass: "BestEffort" }, 1]);
  const limits = { cpu: "1", memory: "1Gi" };
  assert.equal(pod.prepareForCreate(read(container({ resources: { limits } })), NOW).status?.qosClass, "Guaranteed");
  assert.equal(
    pod.prepareForCreate(read(container({ resources: { limits: { cpu: "1" } } })), NOW).status?.qosClass,
    "Burstable",
  );
  assert.equal(pod.prepareForUpdate(made, made, NOW).metadata.generation, 1);
  const moved = pod.prepareForUpdate({ ...made, spec: { ...made.spec!, nodeName: "n" } }, made, NOW);
  assert.equal(moved.metadata.generation, 2);
});

const running: ContainerStatus = {
  name: "c",
  image: "",
  imageID: "",
  ready: true,
  restartCount: 0,
  state: { running: {} },
};
const unready = { ...running, ready: false };
const ended = (exitCode: number, more: object = {}) => ({ ...unready, state: { terminated: { exitCode, ...more } } });
const waiting = (reason: string) => ({ ...unready, state: { waiting: { reason } } });
const init = {
  initContainers: [
    { ...C, name: "i" },
    { ...C, name: "j" },
  ],
};
const sidecar = { initContainers: [{ ...C, name: "i", restartPolicy: "Always" }] };
const READY = { type: "Ready", status: "True" };
// Two containers with something to say: the first one is heard.
const twice = [waiting("ErrImagePull"), ended(1, { reason: "Error" })];
const rows: [status: PodStatus, spec: Partial<PodSpec>, ready: string, text: string, meta?: object][] = [
  [{ phase: "Pending" }, {}, "0/1", "Pending"],
  [{ phase: "Running", containerStatuses: [running] }, {}, "1/1", "Running"],
  [{ phase: "Running", containerStatuses: [unready] }, {}, "0/1", "Running"],
  [{ phase: "Running", containerStatuses: [waiting("CrashLoopBackOff")] }, {}, "0/1", "CrashLoopBackOff"],
  [{ phase: "Succeeded", containerStatuses: [ended(0, { reason: "Completed" })] }, {}, "0/1", "Completed"],
  [{ phase: "Failed", containerStatuses: [ended(1, { reason: "Error" })] }, {}, "0/1", "Error"],
  [{ phase: "Failed", containerStatuses: [ended(3)] }, {}, "0/1", "ExitCode:3"],
  [{ phase: "Failed", containerStatuses: [ended(137, { signal: 9 })] }, {}, "0/1", "Signal:9"],
  [{ phase: "Running", containerStatuses: twice }, {}, "0/1", "ErrImagePull"],
  [{ phase: "Failed", reason: "Evicted" }, {}, "0/1", "Evicted"],
  [{ phase: "Running", containerStatuses: [ended(0, { reason: "Completed" }), running] }, {}, "1/1", "NotReady"],
  [
    { phase: "Running", conditions: [READY], containerStatuses: [ended(0, { reason: "Completed" }), running] },
    {},
    "1/1",
    "Running",
  ],
  [{ phase: "Running", containerStatuses: [running] }, {}, "1/1", "Terminating", { deletionTimestamp: NOW.now }],
  [{ phase: "Running", reason: "NodeLost" }, {}, "0/1", "Unknown", { deletionTimestamp: NOW.now }],
  [{ phase: "Failed" }, {}, "0/1", "Failed", { deletionTimestamp: NOW.now }],
  [
    { phase: "Pending", conditions: [{ type: "PodScheduled", status: "False", reason: "SchedulingGated" }] },
    {},
    "0/1",
    "SchedulingGated",
  ],
  [
    {
      phase: "Pending",
      initContainerStatuses: [
        { ...ended(0), name: "i" },
        { ...unready, name: "j" },
      ],
    },
    init,
    "0/1",
    "Init:1/2",
  ],
  [
    { phase: "Pending", initContainerStatuses: [{ ...ended(1, { reason: "Error" }), name: "i" }] },
    init,
    "0/1",
    "Init:Error",
  ],
  [{ phase: "Pending", initContainerStatuses: [{ ...ended(4), name: "i" }] }, init, "0/1", "Init:ExitCode:4"],
  [
    { phase: "Pending", initContainerStatuses: [{ ...waiting("CrashLoopBackOff"), name: "i" }] },
    init,
    "0/1",
    "Init:CrashLoopBackOff",
  ],
  [
    { phase: "Pending", initContainerStatuses: [{ ...waiting("PodInitializing"), name: "i" }] },
    init,
    "0/1",
    "Init:0/2",
  ],
  [
    {
      phase: "Running",
      initContainerStatuses: [{ ...running, name: "i", started: true }],
      containerStatuses: [running],
    },
    sidecar,
    "2/2",
    "Running",
  ],
];
for (const [status, spec, ready, text, meta] of rows) {
  void test(`SVC-340: ${ready} ${text}`, () => {
    const made: Pod = { ...read(spec), status, metadata: { name: "p", ...meta } };
    assert.deepEqual(pod.row(made, 0).slice(1, 3), [ready, text]);
  });
}

void test("SVC-316, SVC-341, SVC-342: restarts and wide cells", () => {
  const restarted = {
    ...running,
    restartCount: 2,
    lastState: { terminated: { exitCode: 1, finishedAt: "1970-01-01T00:00:10Z" } },
  };
  const made: Pod = {
    ...read({ nodeName: "n", readinessGates: [{ conditionType: "a" }, { conditionType: "b" }] }),
    metadata: { name: "p", creationTimestamp: "1970-01-01T00:00:00Z" },
    status: {
      containerStatuses: [restarted],
      podIPs: [{ ip: "10.0.0.1" }],
      conditions: [{ type: "a", status: "True" }],
    },
  };
  assert.deepEqual(pod.row(made, 70_000).slice(3), ["2 (60s ago)", "70s", "10.0.0.1", "n", "<none>", "1/2"]);
  const { status: _, ...fresh } = read({});
  assert.deepEqual(pod.row(fresh, 0).slice(3), ["0", "<unknown>", "<none>", "<none>", "<none>", "<none>"]);
});

void test("CTL-119: a pod has one address of each family", () => {
  const judged = (status: PodStatus): string[] =>
    (pod.validateStatus?.({ ...read({}), status }, read({})) ?? []).map((fault) => fault.field);
  assert.deepEqual(judged({ podIP: "10.0.0.1", podIPs: [{ ip: "10.0.0.1" }, { ip: "fd00::1" }] }), []);
  assert.deepEqual(judged({ podIP: "10.0.0.1", podIPs: [{ ip: "10.0.0.1" }, { ip: "10.0.0.2" }] }), ["status.podIPs"]);
  assert.deepEqual(judged({ podIP: "10.0.0.2", podIPs: [{ ip: "10.0.0.1" }] }), ["status.podIPs[0].ip"]);
});
