import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { Agent, request as httpRequest } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { buffer, text } from "node:stream/consumers";
import { after, before, test } from "node:test";
import type { Container, ObjectMeta, Pod, PodSpec } from "../../../src/api/generated/types.ts";
import { pods } from "../../../src/api/resources.ts";
import { childrenOf, identityOf, signalProcess } from "../../../src/host/process-identity.ts";
import type { NodePart } from "../../../src/node/node.ts";
import { readFileSync } from "node:fs";
import { answerOf, refusalOf, url } from "../contract/subject.ts";
import { until } from "../../lab/until.ts";
import { bed, conditionOf, exitCodeOf, host, logOf, podObject, podThat, shell, type Bed } from "./bed.ts";

/** Pods without programs as the node runs them, beside pods with programs. */
let where: Bed;
let part: NodePart;
before(async () => {
  where = await bed({ runtime: "simulated" });
  part = await where.start();
});
after(() => where.end(part));

const web = (port = 80): Partial<Container> => ({ image: "none", ports: [{ containerPort: port }] });
const isReady = (pod: Pod): boolean => conditionOf(pod, "Ready") === "True";

async function readyPod(
  name: string,
  container: Partial<Container> = web(),
  spec: Partial<PodSpec> = {},
  metadata: Partial<ObjectMeta> = {},
): Promise<{ pod: Pod; ip: string; ip6: string }> {
  const object = podObject(name, spec, container);
  where.client.put(pods, { ...object, metadata: { ...object.metadata, ...metadata } });
  const pod = await podThat(where.client, name, isReady);
  const [ip = "", ip6 = ""] = pod.status?.podIPs?.map((each) => each.ip) ?? [];
  return { pod, ip, ip6 };
}

void test("HTTP answers with the pod and the request, at both addresses, and says so in the log", async () => {
  const { ip, ip6 } = await readyPod("web");
  for (const [address, client] of [
    [ip, "10.244.0.1"],
    [ip6, "fd00:10:244::1"],
  ] as const) {
    const said = JSON.parse(
      await (await fetch(url(address, 80, "/a?b=c"), { headers: { accept: "application/json" } })).text(),
    ) as Record<string, unknown>;
    assert.equal(said["pod"], "web");
    assert.equal(said["namespace"], "default");
    assert.equal(said["node"], "n1");
    assert.equal(said["container"], "main");
    assert.equal(said["address"], address);
    assert.equal(said["port"], 80);
    assert.equal(said["request"], "GET /a?b=c HTTP/1.1");
    assert.ok(String(said["client"]).includes(client), String(said["client"]));
    assert.equal(await answerOf(address, 80, "/hostname"), "web");
  }
  await until("the requests to be logged", async () => {
    const log = await logOf(part, "web");
    return /^simulated: no program runs; ports that answer: 80\/TCP\n(.*\n)*.* GET \/a\?b=c 200 from fd00:10:244::1$/m.test(
      log,
    );
  });
});

void test("a connection is kept for many requests, a large body is taken whole, HEAD has no body", async () => {
  const { ip } = await readyPod("kept");
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ask = (method: string, body?: Buffer): Promise<{ text: string; local: number; length: string | undefined }> =>
    new Promise((resolve, reject) => {
      const asked = httpRequest({ host: ip, port: 80, method, path: "/echo?msg=yes", agent }, (response) => {
        const local = response.socket.localPort ?? 0;
        void text(response).then((said) => resolve({ text: said, local, length: response.headers["content-length"] }));
      });
      asked.once("error", reject);
      asked.end(body);
    });
  const first = await ask("GET");
  assert.equal(first.text, "yes");
  const posted = await ask("POST", Buffer.alloc(2_000_000));
  assert.deepEqual([posted.text, posted.local], ["yes", first.local], "over the same connection");
  assert.deepEqual(await ask("HEAD"), { text: "", local: first.local, length: "3" });
  agent.destroy();
});

void test("TCP that is no HTTP is sent back, in whatever pieces it comes; a method in pieces is HTTP", async () => {
  const { ip, ip6 } = await readyPod("echo", web(6379));
  for (const [address, pieces] of [
    [ip, ["PING\r\n"]],
    [ip6, ["P", "OND"]],
    [ip, ["PO"]],
    [ip, ["\x00\x01", "x".repeat(100_000)]],
  ] as const) {
    const socket = connect({ host: address, port: 6379 });
    for (const piece of pieces) {
      socket.write(piece);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    socket.end();
    assert.equal((await buffer(socket)).toString(), pieces.join(""));
  }
  const socket = connect({ host: ip, port: 6379 });
  for (const piece of ["G", "ET /hostname HT", "TP/1.0\r\n\r\n"]) {
    socket.write(piece);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.match(await text(socket), /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\necho$/);
  const silent = connect({ host: ip, port: 6379 });
  silent.end();
  assert.equal(await text(silent), "", "who says nothing is told nothing");
});

void test("UDP is sent back, from the address that was asked, in both families; other ports are refused", async () => {
  const { ip, ip6 } = await readyPod("dns", { image: "none", ports: [{ containerPort: 5353, protocol: "UDP" }] });
  for (const address of [ip, ip6]) {
    const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
    socket.connect(5353, address);
    await once(socket, "connect");
    const answer = until("the datagram to come back", async () => {
      socket.send("hello");
      const [message] = (await once(socket, "message", { signal: AbortSignal.timeout(500) })) as [Buffer];
      return message.toString();
    });
    assert.equal(await answer, "hello");
    socket.close();
    const other = createSocket(address.includes(":") ? "udp6" : "udp4");
    other.connect(5354, address);
    await once(other, "connect");
    const refused = once(other, "message", { signal: AbortSignal.timeout(10_000) });
    other.send("hello");
    await assert.rejects(refused, { code: "ECONNREFUSED" });
    other.close();
    assert.equal(await refusalOf(address, 5353), "ECONNREFUSED", "TCP is another port");
  }
});

void test("HTTP/2 with prior knowledge: gRPC's health check says SERVING, other methods say that there are none", async () => {
  const { ip } = await readyPod("grpc", web(9555));
  const session = connectHttp2(url(ip, 9555));
  const call = async (path: string, type?: string): Promise<{ body: Buffer; facts: Record<string, unknown> }> => {
    const stream = session.request({
      ":method": "POST",
      ":path": path,
      ...(type === undefined ? {} : { "content-type": type }),
    });
    const facts: Record<string, unknown> = {};
    stream.on("response", (headers) => Object.assign(facts, headers));
    stream.on("trailers", (headers) => Object.assign(facts, headers));
    stream.end(Buffer.from([0, 0, 0, 0, 0]));
    return { body: await buffer(stream), facts };
  };
  const health = await call("/grpc.health.v1.Health/Check", "application/grpc");
  assert.deepEqual([...health.body], [0, 0, 0, 0, 2, 8, 1]);
  assert.equal(health.facts["grpc-status"], "0");
  const other = await call("/hipstershop.AdService/GetAds", "application/grpc+proto");
  assert.equal(other.facts["grpc-status"], "12");
  assert.match(decodeURIComponent(String(other.facts["grpc-message"])), /simulated and has no method/);
  assert.equal((await call("/hostname")).body.toString(), "grpc");
  session.close();
});

void test("the ports of two containers answer; one that both declare stops the second, which is started again and again", async () => {
  const containers = [
    { name: "one", ...web(80) },
    { name: "two", ...web(81) },
    { name: "three", ...web(80) },
  ];
  where.client.put(pods, podObject("shared", { containers }));
  const pod = await podThat(where.client, "shared", (each) => {
    const statuses = each.status?.containerStatuses ?? [];
    return statuses.some(({ restartCount }) => restartCount > 0) && statuses.filter(({ ready }) => ready).length === 2;
  });
  const ip = pod.status?.podIP ?? "";
  for (const port of [80, 81]) assert.match(await answerOf(ip, port, "/"), /^container: (one|two|three)$/m);
  const states = pod.status?.containerStatuses ?? [];
  const failed = states.find(({ ready }) => !ready);
  assert.equal(failed?.lastState?.terminated?.exitCode, 1);
});

void test("init containers are done at once; a Job's pod completes; a pod with seconds of its own ends after them", async () => {
  const init = { name: "wait", image: "none", command: ["sh", "-c", "exit 1"] };
  await readyPod("inits", web(), { initContainers: [init, { ...init, name: "more" }] });
  const object = podObject("of-job", { restartPolicy: "Never" }, web());
  const owner = { apiVersion: "batch/v1", kind: "Job", name: "j", uid: "u", controller: true };
  where.client.put(pods, { ...object, metadata: { ...object.metadata, ownerReferences: [owner] } });
  const done = await podThat(where.client, "of-job", (each) => each.status?.phase === "Succeeded");
  assert.equal(exitCodeOf(done), 0);
  const timed = podObject("timed", { restartPolicy: "Never" }, web());
  const annotations = { "fairlead.dev/run-seconds": "0.2" };
  where.client.put(pods, { ...timed, metadata: { ...timed.metadata, annotations } });
  await podThat(where.client, "timed", (each) => each.status?.phase === "Succeeded");
});

void test("readiness follows the annotation at once, with a probe and without one; probes of every kind pass", async () => {
  const readinessProbe = { exec: { command: ["false"] }, periodSeconds: 3600, failureThreshold: 10 };
  await readyPod("plain");
  await readyPod("probed", {
    ...web(),
    readinessProbe,
    livenessProbe: { grpc: { port: 1 } },
    startupProbe: { httpGet: { port: 1, path: "/" } },
  });
  for (const name of ["plain", "probed"]) {
    for (const ready of ["false", "true"]) {
      const metadata = { annotations: { "fairlead.dev/ready": ready } };
      await where.client.patch(pods, { namespace: "default", name }, "merge", { metadata });
      await podThat(where.client, name, (pod) => isReady(pod) === (ready === "true"));
    }
  }
});

void test("what a pod names and nobody has made does not keep it from running", async () => {
  const container = {
    ...web(),
    envFrom: [{ configMapRef: { name: "none" } }, { secretRef: { name: "none" } }],
    volumeMounts: [{ name: "data", mountPath: "/data" }],
  };
  await readyPod("lacking", container, {
    volumes: [{ name: "data", configMap: { name: "none" } }],
    serviceAccountName: "none",
  });
});

void test("what cannot be simulated is refused by name", async () => {
  where.client.put(pods, podObject("host", { hostNetwork: true }, web()));
  const reasonOf = (pod: Pod) => pod.status?.containerStatuses?.[0]?.state?.waiting;
  const refused = await podThat(where.client, "host", (pod) => reasonOf(pod)?.message !== undefined);
  assert.match(reasonOf(refused)?.message ?? "", /^spec\.hostNetwork: simulated pods/);
  where.client.put(pods, podObject("other", { runtimeClassName: "gvisor" }, web()));
  const unknown = await podThat(where.client, "other", (pod) => reasonOf(pod)?.message !== undefined);
  assert.match(reasonOf(unknown)?.message ?? "", /"gvisor" is no runtime of this node; it has process, simulated/);
});

void test("nothing enters a pod without a program: exec says so with exit code 126", async () => {
  await readyPod("closed");
  const at = { namespace: "default", pod: "closed", container: "main" };
  const execution = await part.source.exec(at, { command: ["sh"], stdin: false });
  assert.match(await text(execution.stderr), /^fairlead: this container is simulated/);
  assert.equal(await execution.ended, 126);
});

void test("runtimeClassName chooses for one pod: a program calls a simulated pod by its address", async () => {
  const { ip } = await readyPod("called");
  const script = `node -e 'fetch("http://${ip}/clientip").then((a) => a.text()).then((t) => console.log(t))'`;
  where.client.put(pods, podObject("caller", { runtimeClassName: "process", restartPolicy: "Never" }, shell(script)));
  const caller = await podThat(where.client, "caller", (each) => exitCodeOf(each) === 0);
  assert.match(await logOf(part, "caller"), new RegExp(`^${caller.status?.podIP}:\\d+\n$`));
});

void test("a pod that ends is asked without pause: no request is lost, kept connections are told to go, then it is refused", async () => {
  const { ip } = await readyPod("leaving");
  const agent = new Agent({ keepAlive: true });
  const ask = (): Promise<string> =>
    new Promise((resolve, reject) => {
      const asked = httpRequest({ host: ip, port: 80, path: "/hostname", agent }, (response) => {
        void text(response).then(() => resolve(String(response.headers.connection)));
      });
      asked.once("error", reject);
      asked.end();
    });
  assert.equal(await ask(), "keep-alive");
  const deletion = where.client.delete(pods, { namespace: "default", name: "leaving" }, { gracePeriodSeconds: 20 });
  const heard = new Set<string>();
  await deletion;
  // Callers who do not know yet, for a second: longer than the quiet that ends it.
  for (const until = performance.now() + 1000; performance.now() < until;) heard.add(await ask());
  assert.ok(heard.has("close"), [...heard].join(" "));
  await until("the object to be gone", () => where.client.find(pods, "default", "leaving") === undefined, {
    seconds: 10,
  });
  assert.equal(await refusalOf(ip, 80).then((code) => code !== undefined), true);
  agent.destroy();
});

/** The program that answers. */
async function answering(): Promise<number | undefined> {
  for (const pid of await childrenOf(process.pid)) {
    if (readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("answering/main.ts")) return pid;
  }
  return undefined;
}

void test("the program that answers is killed: all answer again, and nobody is restarted", async () => {
  const { ip } = await readyPod("steady", {
    image: "none",
    ports: [{ containerPort: 80 }, { containerPort: 53, protocol: "UDP" }],
  });
  const identity = await identityOf((await answering())!);
  assert.ok(await signalProcess(identity!, "SIGKILL"));
  await until("another to answer", async () => ((await answering()) ?? identity!.pid) !== identity!.pid);
  assert.equal(await answerOf(ip, 80), "steady");
  const pod = where.client.find(pods, "default", "steady") as Pod;
  assert.equal(pod.status?.containerStatuses?.[0]?.restartCount, 0);
});

void test("after the node was away its pods answer at the same addresses, and are not restarted; those deleted meanwhile are gone", async () => {
  const { ip, ip6 } = await readyPod("stays");
  const gone = await readyPod("goes");
  await part.stop();
  assert.equal(await answering(), undefined);
  where.client.drop(pods, "default", "goes");
  part = await where.start();
  for (const address of [ip, ip6]) assert.equal(await answerOf(address, 80), "stays");
  const pod = where.client.find(pods, "default", "stays") as Pod;
  assert.equal(pod.status?.containerStatuses?.[0]?.restartCount, 0);
  assert.equal(pod.status?.podIP, ip);
  assert.ok(isReady(pod));
  await until("the way to the deleted pod to be gone", async () => {
    const { stdout } = await host.check("ip", ["route", "show", gone.ip]);
    return stdout === "";
  });
  const { ip: fresh } = await readyPod("later");
  assert.notEqual(fresh, ip);
});

void test("with its last pod the shared network goes, and it comes again with the next", async () => {
  const names = where.client;
  const { items } = await names.list<Pod>(pods);
  for (const { metadata } of items) names.drop(pods, "default", metadata.name ?? "");
  await until("the namespace to be gone", async () => (await host.check("ip", ["netns", "list"])).stdout === "");
  await until("the program that answers to end", async () => (await answering()) === undefined);
  assert.doesNotMatch((await host.check("ip", ["-o", "link"])).stdout, /flshared/);
  const { ip } = await readyPod("again");
  assert.equal(await answerOf(ip, 80), "again");
});
