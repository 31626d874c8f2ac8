import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Node, Pod } from "../../../src/api/generated/types.ts";
import { configMaps, nodes, pods, services } from "../../../src/api/resources.ts";
import { startTicksOf } from "../../../src/host/process-identity.ts";
import type { NodePart } from "../../../src/node/node.ts";
import type { PodRecord } from "../../../src/node/state/pod-record.ts";
import { startedProcess } from "../../../src/node/runtimes/process/started.ts";
import { readReport } from "../../../src/node/runtimes/process/status-file.ts";
import { bed, conditionOf, exitCodeOf, host, logOf, output, podObject, podThat, shell, type Bed } from "./bed.ts";
import { until } from "../../lab/until.ts";

let where: Bed;
let part: NodePart;

const SERVER = `node -e 'require("http").createServer((q,s)=>{s.statusCode=require("fs").existsSync("/tmp/unready")?500:200;s.end("hi")}).listen(80,"::")'`;
const initOf = async (pod: Pod): Promise<number | undefined> => {
  const record = JSON.parse(
    await readFile(join(where.directory, "state", `${pod.metadata.uid}.json`), "utf8"),
  ) as PodRecord;
  return readReport(await readFile(startedProcess(record.containers["main"]!.started!).statusFile, "utf8")).init;
};
const fetchFrom = (pod: Pod): Promise<number> => fetch(`http://${pod.status?.podIP}/`).then(({ status }) => status);

/** Runs on and on, and is ready when its traps are set. */
const whenUp = (traps: string) => ({
  ...shell(`${traps}; touch /tmp/up; while :; do sleep 0.05; done`),
  readinessProbe: { exec: { command: ["test", "-e", "/tmp/up"] }, periodSeconds: 1, timeoutSeconds: 30 },
});

/** No such process runs, or only its zombie. */
const ended = (pid: number): Promise<true> =>
  until(`process ${pid} to end`, async () => ((await startTicksOf(pid)) === undefined ? true : undefined));

before(async () => {
  where = await bed();
  where.client.put(services, {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "foo-bar", namespace: "default" },
    spec: { clusterIP: "10.96.0.99", ports: [{ port: 8080 }] },
  } as never);
  part = await where.start();
});
after(() => where.end(part));

void test("registers the Node with addresses, ranges and a Ready condition", async () => {
  const node = await until("the Node", () => where.client.find(nodes, "", "n1") as Node | undefined);
  assert.deepEqual(
    node.status?.addresses?.map(({ address }) => address),
    ["10.244.0.1", "fd00:10:244::1", "n1"],
  );
  assert.equal(node.status?.conditions?.find(({ type }) => type === "Ready")?.status, "True");
  assert.deepEqual(node.spec?.podCIDRs, ["10.244.0.0/16", "fd00:10:244::/64"]);
  assert.equal(node.metadata.labels?.["kubernetes.io/hostname"], "n1");
});

void test("CTL-102, CTL-119, CTL-120: a pod without a probe is ready at once, with an address of each family that answers", async () => {
  where.client.put(pods, podObject("web", {}, shell(SERVER)));
  const pod = await podThat(where.client, "web", (each) => conditionOf(each, "Ready") === "True");
  assert.equal(pod.status?.phase, "Running");
  assert.equal(pod.status?.podIPs?.length, 2);
  assert.equal(pod.status?.podIP, pod.status?.podIPs?.[0]?.ip);
  assert.deepEqual(pod.status?.hostIPs, [{ ip: "10.244.0.1" }, { ip: "fd00:10:244::1" }]);
  await until("an answer on port 80", () => fetchFrom(pod).catch(() => undefined));
  const [, six] = pod.status?.podIPs ?? [];
  assert.equal((await fetch(`http://[${six?.ip}]/`)).status, 200);
});

void test("CTL-108, CTL-115: a failing readiness probe makes the pod not ready, and ready again", async () => {
  const readinessProbe = { httpGet: { port: "http", path: "/" }, periodSeconds: 1, failureThreshold: 1 };
  where.client.put(
    pods,
    podObject("probed", {}, { ...shell(SERVER), readinessProbe, ports: [{ name: "http", containerPort: 80 }] }),
  );
  await podThat(where.client, "probed", (each) => conditionOf(each, "Ready") === "True");
  const touch = async (command: string): Promise<void> => {
    const at = { namespace: "default", pod: "probed", container: "main" };
    const execution = await part.source.exec(at, { command: ["sh", "-c", command], stdin: false });
    assert.equal(await execution.ended, 0);
  };
  await touch("touch /tmp/unready");
  const unready = await podThat(where.client, "probed", (each) => conditionOf(each, "Ready") === "False");
  assert.equal(unready.status?.containerStatuses?.[0]?.ready, false);
  await touch("rm /tmp/unready");
  await podThat(where.client, "probed", (each) => conditionOf(each, "Ready") === "True");
});

void test("DNS-100, DNS-103, DNS-153, DNS-170: hosts, resolv.conf, service variables, fields, ConfigMaps", async () => {
  where.client.put(configMaps, {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "conf", namespace: "default" },
    data: { KEY: "from-map", "app.conf": "text" },
  } as never);
  const { text } = await output(
    where.client,
    part,
    "env",
    podObject(
      "env",
      { volumes: [{ name: "conf", configMap: { name: "conf" } }], hostname: "web-0", subdomain: "sub" },
      {
        ...shell("env; cat /etc/hosts /etc/resolv.conf /conf/app.conf; hostname; echo $(ADDRESS)"),
        volumeMounts: [{ name: "conf", mountPath: "/conf" }],
        envFrom: [{ configMapRef: { name: "conf" } }],
        env: [
          { name: "ADDRESS", value: "http://$(FOO_BAR_SERVICE_HOST):$(FOO_BAR_SERVICE_PORT)" },
          { name: "POD_IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
          { name: "POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
        ],
      },
    ),
  );
  assert.equal(text.match(/^FOO_BAR_/gm)?.length, 7);
  assert.match(text, /^KEY=from-map$/m);
  assert.match(text, /^POD_NAME=env$/m);
  const ip = /^POD_IP=(10\.244\.\d+\.\d+)$/m.exec(text)?.[1];
  assert.match(text, new RegExp(`^${ip}\tweb-0\\.sub\\.default\\.svc\\.cluster\\.local\tweb-0$`, "m"));
  assert.match(text, /^search default\.svc\.cluster\.local svc\.cluster\.local cluster\.local/m);
  assert.match(text, /^nameserver 10\.96\.0\.10$/m);
  assert.match(text, /^options ndots:5$/m);
  assert.match(text, /textweb-0\nhttp:\/\/10\.96\.0\.99:8080\n$/);
});

void test("init containers run in order before the others; an end is restarted, the log before is kept", async () => {
  const volumes = [{ name: "d", emptyDir: {} }];
  const volumeMounts = [{ name: "d", mountPath: "/d" }];
  where.client.put(
    pods,
    podObject("ordered", {
      volumes,
      restartPolicy: "OnFailure",
      initContainers: [
        { name: "one", command: ["sh", "-c", "echo 1 >>/d/f"], volumeMounts },
        { name: "two", command: ["sh", "-c", "echo 2 >>/d/f"], volumeMounts },
      ],
      containers: [
        {
          name: "main",
          command: ["sh", "-c", "cat /d/f; test -e /d/again || { touch /d/again; exit 3; }; echo second"],
          volumeMounts,
        },
      ],
    }),
  );
  const pod = await podThat(where.client, "ordered", (each) => each.status?.phase === "Succeeded");
  assert.equal(pod.status?.containerStatuses?.[0]?.restartCount, 1);
  assert.equal(pod.status?.containerStatuses?.[0]?.lastState?.terminated?.exitCode, 3);
  assert.equal(await logOf(part, "ordered"), "1\n2\nsecond\n");
  assert.equal(await logOf(part, "ordered", { previous: true }), "1\n2\n");
  assert.equal(await logOf(part, "ordered", { tailLines: 1 }), "second\n");
});

void test("CTL-109, CTL-114: deletion is SIGTERM, and the object goes when the program has ended", async () => {
  where.client.put(pods, podObject("polite", {}, whenUp("trap 'sleep 0.2; exit 0' TERM")));
  const running = await podThat(where.client, "polite", (each) => conditionOf(each, "Ready") === "True");
  const init = await initOf(running);
  await where.client.delete(pods, { namespace: "default", name: "polite" }, { gracePeriodSeconds: 20 });
  await until("the object to be gone", () => where.client.find(pods, "default", "polite") === undefined || undefined, {
    seconds: 10,
  });
  await ended(init!);
});

void test("CTL-109: a program that will not end is killed when the grace period is over", async () => {
  where.client.put(pods, podObject("deaf", {}, whenUp("trap '' TERM")));
  await podThat(where.client, "deaf", (each) => conditionOf(each, "Ready") === "True");
  const from = Date.now();
  await where.client.delete(pods, { namespace: "default", name: "deaf" }, { gracePeriodSeconds: 1 });
  await until("the object to be gone", () => where.client.find(pods, "default", "deaf") === undefined || undefined, {
    seconds: 10,
  });
  assert.ok(Date.now() - from >= 900, "not before the grace period is over");
});

void test("CTL-110: a forced deletion leaves nothing", async () => {
  where.client.put(pods, podObject("forced", {}, whenUp("trap '' TERM")));
  const pod = await podThat(where.client, "forced", (each) => conditionOf(each, "Ready") === "True");
  const init = await initOf(pod);
  where.client.drop(pods, "default", "forced");
  await until("the namespace to be gone", async () => {
    const { stdout } = await host.check("ip", ["netns", "list"]);
    return stdout.includes(`fl-${pod.metadata.uid?.slice(0, 8)}`) ? undefined : true;
  });
  await ended(init!);
});

void test("pods outlive the node: same process and address after adoption, exit 42 with all its lines, the deleted one ended", async () => {
  const lines =
    "i=0; while [ $i -lt 200 ]; do echo line $i; i=$((i+1)); [ $i = 100 ] && while ! [ -e /v/go ]; do sleep 0.02; done; done; exit 42";
  const volumes = [{ name: "v", emptyDir: {} }];
  where.client.put(pods, podObject("stays", {}, shell(SERVER)));
  where.client.put(pods, podObject("leaves", {}, shell("sleep 100")));
  where.client.put(
    pods,
    podObject(
      "ends",
      { volumes, restartPolicy: "Never" },
      { ...shell(lines), volumeMounts: [{ name: "v", mountPath: "/v" }] },
    ),
  );
  const before: Pod[] = [];
  for (const name of ["stays", "leaves", "ends"]) {
    before.push(await podThat(where.client, name, (each) => conditionOf(each, "Ready") === "True"));
  }
  const [stays, leaves, ends] = before as [Pod, Pod, Pod];
  const inits = await Promise.all(before.map(initOf));
  await part.stop();

  await until("the server to answer while we are away", () => fetchFrom(stays).catch(() => undefined));
  await writeFile(join(where.directory, "volumes", ends.metadata.uid!, "v", "go"), "");
  await ended(inits[2]!);
  where.client.drop(pods, "default", "leaves");

  part = await where.start();
  const failed = await podThat(where.client, "ends", (each) => exitCodeOf(each) === 42);
  assert.equal(failed.status?.phase, "Failed");
  assert.equal(await logOf(part, "ends"), Array.from({ length: 200 }, (_, index) => `line ${index}\n`).join(""));
  await until("the pod deleted meanwhile to end", async () => {
    const { stdout } = await host.check("ip", ["netns", "list"]);
    return stdout.includes(`fl-${leaves.metadata.uid?.slice(0, 8)}`) ? undefined : true;
  });
  const after = where.client.find(pods, "default", "stays") as Pod;
  assert.equal(after.status?.podIP, stays.status?.podIP);
  assert.equal(await initOf(after), inits[0]);
  assert.equal(after.status?.containerStatuses?.[0]?.restartCount, 0);
  assert.equal(await fetchFrom(after), 200);
  // The next pod must not be given an adopted pod's address.
  where.client.put(pods, podObject("new", {}, shell("sleep 100")));
  const fresh = await podThat(where.client, "new", (each) => conditionOf(each, "Ready") === "True");
  assert.notEqual(fresh.status?.podIP, stays.status?.podIP);
});

void test("logs are followed to the end of the container", async () => {
  where.client.put(
    pods,
    podObject("talk", { restartPolicy: "Never" }, shell("for i in 1 2 3; do echo $i; sleep 0.1; done")),
  );
  await podThat(where.client, "talk", (each) => each.status?.phase === "Running");
  assert.equal(await logOf(part, "talk", { follow: true }), "1\n2\n3\n");
});
