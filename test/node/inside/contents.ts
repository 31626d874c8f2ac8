import assert from "node:assert/strict";
import { createSocket, type Socket } from "node:dgram";
import { access } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Container, Pod, PodSpec } from "../../../src/api/generated/types.ts";
import { configMaps, pods, services } from "../../../src/api/resources.ts";
import type { NodePart } from "../../../src/node/node.ts";
import { until } from "../../lab/until.ts";
import {
  bed,
  conditionOf,
  host,
  logOf,
  output,
  podObject,
  podThat,
  said,
  shell,
  told,
  waitingFor,
  type Bed,
} from "./bed.ts";

const DNS = "10.96.0.10";
let where: Bed;
let part: NodePart;
let server: Socket;
/** The names that were asked for, in order. */
const asked: string[] = [];
const KNOWN = [
  "svc1.default.svc.cluster.local",
  "kubernetes.default.svc.cluster.local",
  "svc1.other.svc.cluster.local",
];

/** Answers the names above with 10.96.0.1 (A) or nothing (AAAA), and all others with NXDOMAIN. */
function answer(query: Buffer): Buffer {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at]!; length > 0; length = query[at]!) {
    labels.push(query.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  const name = labels.join(".");
  asked.push(name);
  const question = query.subarray(12, at + 5);
  const isKnown = KNOWN.includes(name);
  const isA = query.readUInt16BE(at + 1) === 1;
  const header = Buffer.from([
    query[0]!,
    query[1]!,
    0x85,
    isKnown ? 0x80 : 0x83,
    0,
    1,
    0,
    isKnown && isA ? 1 : 0,
    0,
    0,
    0,
    0,
  ]);
  const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, 10, 96, 0, 1]);
  return Buffer.concat([header, question, ...(isKnown && isA ? [record] : [])]);
}

before(async () => {
  where = await bed();
  await host.check("ip", ["addr", "add", `${DNS}/32`, "dev", "fairlead0"]);
  server = createSocket("udp4");
  server.on("message", (query, from) => server.send(answer(query), from.port, from.address));
  await new Promise<void>((resolve) => server.bind(53, DNS, resolve));
  part = await where.start();
});
after(async () => {
  server.close();
  await where.end(part);
});

const service = (name: string, clusterIP: string): void => {
  where.client.put(services, {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace: "default" },
    spec: { clusterIP, ports: [{ port: 80 }] },
  } as never);
};
const run = async (name: string, script: string, spec: Partial<PodSpec> = {}, container: Partial<Container> = {}) =>
  (await output(where.client, part, name, podObject(name, spec, { ...shell(script), ...container }))).text;
const isReady = (pod: Pod): boolean => conditionOf(pod, "Ready") === "True";

void test("DNS-120, DNS-121: short names are completed by the search list, a final dot ends that", async () => {
  const find = (name: string): string =>
    `getent ahostsv4 ${name} | sed -n '1s/ .*//p'; [ -n "$(getent ahostsv4 ${name})" ] || echo none`;
  const text = await run(
    "resolve",
    ["kubernetes.default", "svc1", "svc1.other", "svc1.other.svc", "nobody", "svc1."].map(find).join("; "),
  );
  assert.equal(text, "10.96.0.1\n10.96.0.1\n10.96.0.1\n10.96.0.1\nnone\nnone\n");
  assert.ok(asked.includes("nobody.default.svc.cluster.local"));
  assert.ok(asked.indexOf("nobody.default.svc.cluster.local") < asked.indexOf("nobody"), "absolute last");
  assert.ok(asked.includes("kubernetes.default.default.svc.cluster.local"), "through the list first");
  assert.ok(!asked.includes("kubernetes.default"), "found in the list before it is asked for as it is");
  assert.ok(!asked.includes("svc1.other.svc"));
  assert.ok(asked.includes("svc1"));
  asked.length = 0;
  await run("absolute", "getent ahostsv4 nobody.; true");
  assert.deepEqual([...new Set(asked)], ["nobody"]);
});

void test("CTL-121, CTL-123: pods and the node reach a pod at any port, declared or not, and are seen by their own addresses", async () => {
  const server = `require("http").createServer((q,s)=>s.end(q.socket.remoteAddress)).listen(8099,"0.0.0.0",()=>console.log("up"))`;
  where.client.put(pods, podObject("open", {}, { command: ["node", "-e", server] }));
  const open = await podThat(where.client, "open", isReady);
  await until("the server to listen", async () => (await logOf(part, "open").catch(() => "")) === "up\n");
  const url = `http://${open.status?.podIP}:8099/`;
  const text = await run(
    "caller",
    `echo $IP; node -e 'fetch("${url}").then((a)=>a.text()).then((t)=>console.log(t))'`,
    {},
    { env: [{ name: "IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } }] },
  );
  const [own, seen] = text.split("\n");
  assert.equal(seen, own);
  assert.equal(await (await fetch(url)).text(), "10.244.0.1");
});

void test("DNS-171, DNS-175: init containers have service variables too, and $(NAME) means what was given, nothing else", async () => {
  service("early", "10.96.0.20");
  const mount = { volumeMounts: [{ name: "v", mountPath: "/v" }] };
  const text = await run(
    "init",
    'cat /v/said; printf \'%s\\n\' "$0" "$1" "$2" "$3" "$MADE"',
    {
      volumes: [{ name: "v", emptyDir: {} }],
      initContainers: [{ name: "first", ...mount, ...shell("echo $EARLY_SERVICE_HOST >/v/said") }],
    },
    {
      ...mount,
      args: ["$(EARLY_SERVICE_HOST)", "$(HOME)", "$$(EARLY_SERVICE_HOST)", "$(MADE)"],
      env: [{ name: "MADE", value: "$(EARLY_SERVICE_PORT)-$(NONE)" }],
    },
  );
  assert.equal(text, "10.96.0.20\n10.96.0.20\n$(HOME)\n$(EARLY_SERVICE_HOST)\n80-$(NONE)\n80-$(NONE)\n");
});

void test("DNS-166, DNS-169: the variables are those of the moment a container starts: no later Service appears, none goes, nothing restarts", async () => {
  service("staying", "10.96.0.21");
  const script =
    "env | grep -E '^(STAYING|LATER)_SERVICE_HOST' | sort; echo up; until [ -e /v/go ]; do sleep 0.05; done; rm /v/go; exit 1";
  const spec = { volumes: [{ name: "v", emptyDir: {} }] };
  const container = { ...shell(script), volumeMounts: [{ name: "v", mountPath: "/v" }] };
  where.client.put(pods, podObject("moment", spec, container));
  await until("the first start", async () => (await logOf(part, "moment").catch(() => "")).endsWith("up\n"));
  assert.equal(await logOf(part, "moment"), "STAYING_SERVICE_HOST=10.96.0.21\nup\n");
  service("later", "10.96.0.22");
  where.client.drop(services, "default", "staying");
  const environment = "tr '\\0' '\\n' </proc/2/environ | grep -cE '^(STAYING|LATER)_SERVICE_HOST'";
  await run("after", "echo $LATER_SERVICE_HOST");
  assert.equal(await said(part, "moment", environment), "1\n");
  const restarts = (pod: Pod): number | undefined => pod.status?.containerStatuses?.[0]?.restartCount;
  assert.equal(restarts(await podThat(where.client, "moment", isReady)), 0);
  await said(part, "moment", "touch /v/go");
  await podThat(where.client, "moment", (pod) => restarts(pod) === 1 && isReady(pod));
  await until("the second start", async () => (await logOf(part, "moment")).endsWith("up\n"));
  assert.equal(await logOf(part, "moment"), "LATER_SERVICE_HOST=10.96.0.22\nup\n");
});

void test("a limit that is not set is the node's; a key that is no name is told", async () => {
  where.client.put(configMaps, {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "odd", namespace: "default" },
    data: { FINE: "1", "a=b": "2" },
  } as never);
  const field = (resource: string, divisor: string) => ({ resourceFieldRef: { resource, divisor } });
  const text = await run(
    "fields",
    "echo $CPU $MEMORY $FINE",
    {},
    {
      envFrom: [{ configMapRef: { name: "odd" } }],
      env: [
        { name: "CPU", valueFrom: field("limits.cpu", "1") },
        { name: "MEMORY", valueFrom: field("limits.memory", "1Mi") },
      ],
    },
  );
  assert.equal(text, "2 1024 1\n");
  assert.match(await told(where.client, "fields", "InvalidEnvironmentVariableNames"), /^Keys \[a=b\] from/);
});

void test("a pod's kernel settings are its own; what is not safe is refused", async () => {
  const sysctls = [
    { name: "net.ipv4.ip_local_port_range", value: "1024 1100" },
    { name: "net.ipv4.tcp_syncookies", value: "0" },
  ];
  const text = await run("sysctl", "cat /proc/sys/net/ipv4/ip_local_port_range /proc/sys/net/ipv4/tcp_syncookies", {
    securityContext: { sysctls },
  });
  assert.match(text, /^1024\s1100\n0\n$/);
  const refused = async (name: string, sysctl: string): Promise<string> => {
    const securityContext = { sysctls: [{ name: sysctl, value: "1" }] };
    where.client.put(pods, podObject(name, { securityContext }, shell("true")));
    return waitingFor(where.client, name);
  };
  assert.equal(await refused("s1", "net.ipv4.ip_forward"), 'forbidden sysctl: "net.ipv4.ip_forward" not allowlisted');
  assert.match(await refused("s2", "kernel.shm_rmid_forced"), /its own IPC namespace here/);
});

void test("DNS-099: a name too long for the kernel keeps the pod from starting, and that is told", async () => {
  const spec = { hostname: "h".repeat(40), subdomain: "sub", setHostnameAsFQDN: true };
  where.client.put(pods, podObject("long-name", spec, shell("true")));
  assert.match(
    await told(where.client, "long-name", "FailedCreatePodSandBox"),
    /has 70 characters, the kernel takes 64/,
  );
});

void test("DNS-110, DNS-123: what the node is told anew holds for pods that start later; without cluster DNS both are told", async () => {
  where.client.put(pods, podObject("elder", {}, shell("sleep 600")));
  await podThat(where.client, "elder", isReady);
  const resolver = "grep -c 10.96.0.10 /etc/resolv.conf";
  assert.equal(await said(part, "elder", resolver), "1\n");
  await part.stop();
  part = await where.start({ clusterDNS: [], resolvConf: "" });
  await podThat(where.client, "elder", isReady);
  await until("the pod to be taken over", async () => (await said(part, "elder", resolver).catch(() => "")) === "1\n");
  assert.equal(await run("younger", "cat /etc/resolv.conf"), "search .\nnameserver 127.0.0.1\nnameserver ::1\n");
  for (const name of ["younger", "n1"]) {
    assert.match(await told(where.client, name, "MissingClusterDNS"), /the node has no cluster DNS address/);
  }
});

void test("DNS-167: no container starts before Services were listed once", async () => {
  await part.stop();
  const listing = Promise.withResolvers<void>();
  const list = where.client.list.bind(where.client);
  where.client.list = async (resource, ...rest) => {
    if (resource.plural === "services") await listing.promise;
    return list(resource, ...rest);
  };
  part = await where.start();
  const readied = async (name: string): Promise<void> => {
    const script = "echo $LISTED_SERVICE_HOST";
    const { metadata } = where.client.put(pods, podObject(name, { restartPolicy: "Never" }, shell(script)));
    const prepared = join(where.directory, "pods", metadata.uid ?? "", "prepared");
    await until(`the files of ${name}`, () =>
      access(prepared).then(
        () => true,
        () => false,
      ),
    );
  };
  await readied("patient");
  // Whatever did not wait for the list would have had its turn before these.
  for (const name of ["patient-2", "patient-3", "patient-4"]) await readied(name);
  const state = (pod: Pod | undefined) => pod?.status?.containerStatuses?.[0]?.state;
  const before = state(where.client.find(pods, "default", "patient") as Pod | undefined);
  assert.equal(before?.running ?? before?.terminated, undefined);
  service("listed", "10.96.0.23");
  listing.resolve();
  await podThat(where.client, "patient", (pod) => state(pod)?.terminated !== undefined);
  assert.equal(await logOf(part, "patient"), "10.96.0.23\n");
});
