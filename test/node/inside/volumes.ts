import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Container, Pod, PodSpec } from "../../../src/api/generated/types.ts";
import { configMaps, persistentVolumeClaims, pods, secrets } from "../../../src/api/resources.ts";
import type { NodePart } from "../../../src/node/node.ts";
import { processRuntime } from "../../../src/node/runtimes/process/process-runtime.ts";
import { silentLog } from "../../../src/observe/log.ts";
import { until } from "../../lab/until.ts";
import { bed, conditionOf, host, output, podObject, podThat, rootless, shell, type Bed } from "./bed.ts";
import { said as inPod, told as event, waitingFor as whyWaiting } from "./bed.ts";

let where: Bed;
let part: NodePart;
const NAMESPACE = "default";

before(async () => {
  where = await bed();
  part = await where.start();
});
after(() => where.end(part));

const map = (name: string, data: Record<string, string>, kind: "ConfigMap" | "Secret" = "ConfigMap"): void => {
  const resource = kind === "ConfigMap" ? configMaps : secrets;
  const encoded = Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString("base64")]);
  const content = kind === "ConfigMap" ? data : Object.fromEntries(encoded);
  where.client.put(resource, {
    apiVersion: "v1",
    kind,
    metadata: { name, namespace: NAMESPACE },
    data: content,
  } as never);
};
const claim = (name: string, phase?: string): void => {
  where.client.put(persistentVolumeClaims, {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name, namespace: NAMESPACE },
    ...(phase === undefined ? {} : { status: { phase } }),
  } as never);
};
const run = (name: string, script: string, spec: Partial<PodSpec>, container: Partial<Container>) =>
  output(where.client, part, name, podObject(name, spec, { ...shell(script), ...container }));

/** A pod that stays, once it is ready. */
async function stay(name: string, spec: Partial<PodSpec>, container: Partial<Container>): Promise<Pod> {
  where.client.put(pods, podObject(name, spec, { ...shell("sleep 600"), ...container }));
  return podThat(where.client, name, (each) => conditionOf(each, "Ready") === "True");
}
const said = (pod: string, script: string, container?: string): Promise<string> => inPod(part, pod, script, container);
const waitingFor = (name: string): Promise<string> => whyWaiting(where.client, name);
const told = (name: string, reason: string): Promise<string> => event(where.client, name, reason);

void test("an emptyDir is shared by the pod's containers; in memory, when it asks for that; what is not enforced is said", async () => {
  const volumes = [
    { name: "disk", emptyDir: { sizeLimit: "1Mi" } },
    { name: "memory", emptyDir: { medium: "Memory" } },
  ];
  const volumeMounts = [
    { name: "disk", mountPath: "/disk" },
    { name: "memory", mountPath: "/memory" },
  ];
  const containers = ["main", "other"].map((name) => ({ name, ...shell("sleep 600"), volumeMounts }));
  await stay("empty", { volumes, containers }, {});
  assert.equal(await said("empty", "echo one >/disk/x; echo two >/memory/x; stat -f -c %T /memory"), "tmpfs\n");
  assert.equal(await said("empty", "cat /disk/x /memory/x", "other"), "one\ntwo\n");
  assert.match(await told("empty", "LimitNotEnforced"), /volume disk: its sizeLimit of 1Mi is not enforced/);
});

void test("files have the modes they are given, in their places; what is optional may be missing", async () => {
  map("files", { a: "A", b: "B" });
  map("keys", { key: "K" }, "Secret");
  const volumes = [
    { name: "some", configMap: { name: "files", items: [{ key: "b", path: "deep/down/b", mode: 0o400 }] } },
    { name: "all", configMap: { name: "files", defaultMode: 0o440 } },
    { name: "secret", secret: { secretName: "keys", defaultMode: 0o400 } },
    { name: "none", configMap: { name: "nothing", optional: true } },
  ];
  const volumeMounts = volumes.map(({ name }) => ({ name, mountPath: `/v/${name}` }));
  const { text } = await run(
    "modes",
    "cd /v; stat -L -c '%a %n' some/deep/down/b all/a secret/key; cat some/deep/down/b all/* secret/key; ls none; readlink all/a; touch all/c",
    { volumes },
    { volumeMounts },
  );
  assert.match(text, /^400 some\/deep\/down\/b\n440 all\/a\n400 secret\/key\nBABK/);
  assert.match(text, /\.\.data\/a\n/);
  assert.match(text, /Read-only file system/);
});

void test("a volume follows its ConfigMap and its Secret at once and whole, a subPath does not", async () => {
  map("live", { a: "1", b: "1", gone: "1" });
  map("live", { key: "old" }, "Secret");
  const volumes = [
    { name: "map", configMap: { name: "live" } },
    { name: "secret", secret: { secretName: "live" } },
  ];
  const volumeMounts = [
    { name: "map", mountPath: "/map" },
    { name: "secret", mountPath: "/secret" },
    { name: "map", mountPath: "/pinned", subPath: "a" },
  ];
  await stay("live", { volumes }, { volumeMounts });
  assert.equal(await said("live", "cat /map/* /secret/key /pinned"), "111old1");
  map("live", { a: "2", b: "2", c: "2" });
  map("live", { key: "new" }, "Secret");
  await until(
    "the new content",
    async () => (await said("live", "cd /map; ls; cat * /secret/key")) === "a\nb\nc\n222new",
  );
  assert.equal(await said("live", "cat /pinned"), "1");
  assert.equal(await said("live", "ls -A /map | grep -c '^\\.\\.'"), "2\n");
  // What is gone stays in the volume as it was, and its return is seen.
  where.client.drop(configMaps, NAMESPACE, "live");
  map("live", { a: "3" });
  await until("the content of the next ConfigMap", async () => (await said("live", "cat /map/*")) === "3");
});

void test("the downward API's files tell of labels, annotations and resources, and follow them", async () => {
  const items = [
    { path: "labels", fieldRef: { fieldPath: "metadata.labels" } },
    { path: "note", fieldRef: { fieldPath: "metadata.annotations['note']" } },
    { path: "uid", fieldRef: { fieldPath: "metadata.uid" } },
    { path: "cpu", resourceFieldRef: { containerName: "main", resource: "limits.cpu", divisor: "1m" } },
    { path: "memory", resourceFieldRef: { containerName: "main", resource: "limits.memory", divisor: "1Mi" } },
  ];
  const volumes = [{ name: "d", downwardAPI: { items } }];
  const container = {
    volumeMounts: [{ name: "d", mountPath: "/d" }],
    resources: { limits: { cpu: "500m" } },
  };
  const pod = podObject("down", { volumes }, { ...shell("sleep 600"), ...container });
  const labels = { b: 'two "2"', a: "one" };
  where.client.put(pods, { ...pod, metadata: { ...pod.metadata, labels, annotations: { note: "x" } } });
  const ready = await podThat(where.client, "down", (each) => conditionOf(each, "Ready") === "True");
  const all = "cd /d; cat labels; echo; cat note; echo; cat uid; echo; cat cpu; echo; cat memory";
  assert.equal(await said("down", all), `a="one"\nb="two \\"2\\""\nx\n${ready.metadata.uid}\n500\n1024`);
  where.client.put(pods, { ...ready, metadata: { ...ready.metadata, labels: { a: "three" }, annotations: {} } });
  await until("the new labels", async () => (await said("down", "cat /d/labels /d/note")) === 'a="three"');
});

void test("a projected volume has a token that is bound to the pod and replaced when most of its life is over", async () => {
  map("root-ca", { "ca.crt": "CA" });
  map("extra", { key: "S" }, "Secret");
  const asked: { path: string; body: { spec: { audiences?: string[]; expirationSeconds: number } } }[] = [];
  where.client.raw = async (_method, path, body) => {
    asked.push({ path, body: body as (typeof asked)[number]["body"] });
    const life = asked.length === 1 ? 2_000 : 3_600_000;
    return {
      status: { token: `token-${asked.length}`, expirationTimestamp: new Date(Date.now() + life).toISOString() },
    };
  };
  const sources = [
    { serviceAccountToken: { path: "token", expirationSeconds: 3607, audience: "vault" } },
    { configMap: { name: "root-ca", items: [{ key: "ca.crt", path: "ca.crt" }] } },
    { secret: { name: "extra" } },
    { downwardAPI: { items: [{ path: "namespace", fieldRef: { fieldPath: "metadata.namespace" } }] } },
  ];
  const volumes = [{ name: "p", projected: { sources } }];
  const mountPath = "/var/run/secrets/kubernetes.io/serviceaccount";
  const pod = await stay(
    "projected",
    { volumes, serviceAccountName: "robot" },
    { volumeMounts: [{ name: "p", mountPath, readOnly: true }] },
  );
  assert.equal(await said("projected", `cd ${mountPath}; cat token ca.crt key namespace`), "token-1CASdefault");
  assert.equal(asked[0]?.path, "/api/v1/namespaces/default/serviceaccounts/robot/token");
  assert.deepEqual(asked[0]?.body.spec, {
    audiences: ["vault"],
    expirationSeconds: 3607,
    boundObjectRef: { apiVersion: "v1", kind: "Pod", name: "projected", uid: pod.metadata.uid },
  });
  await until("the next token", async () => (await said("projected", `cat ${mountPath}/token`)) === "token-2");
});

void test("a pod waits for its claim, saying what is missing; its data outlives pod and claim", async () => {
  const volumes = [{ name: "c", persistentVolumeClaim: { claimName: "data" } }];
  const container = { volumeMounts: [{ name: "c", mountPath: "/data" }] };
  where.client.put(
    pods,
    podObject("claimer", { volumes }, { ...shell("echo kept >/data/x; sleep 600"), ...container }),
  );
  assert.equal(await waitingFor("claimer"), 'persistentvolumeclaim "data" not found');
  assert.match(await told("claimer", "FailedMount"), /persistentvolumeclaim "data" not found/);
  claim("data", "Pending");
  await podThat(where.client, "claimer", (each) =>
    /"data" is not bound: its phase is Pending/.test(
      each.status?.containerStatuses?.[0]?.state?.waiting?.message ?? "",
    ),
  );
  claim("data", "Bound");
  await podThat(where.client, "claimer", (each) => conditionOf(each, "Ready") === "True");
  await until("the data", async () => (await said("claimer", "cat /data/x")) === "kept\n");
  await where.client.delete(pods, { namespace: NAMESPACE, name: "claimer" }, { gracePeriodSeconds: 1 });
  await until("the pod to go", () => where.client.find(pods, NAMESPACE, "claimer") === undefined);
  where.client.drop(persistentVolumeClaims, NAMESPACE, "data");
  claim("data", "Bound");
  const reading = [{ name: "c", persistentVolumeClaim: { claimName: "data", readOnly: true } }];
  const { text } = await run("reader", "cat /data/x; touch /data/y", { volumes: reading }, container);
  assert.match(text, /^kept\n.*Read-only file system/);
  assert.deepEqual(await readdir(join(where.directory, "claims", NAMESPACE, "data")), ["x"]);
});

void test("a subPath is made where it is missing, and expanded from the container's variables", async () => {
  claim("parts", "Bound");
  const volumes = [{ name: "c", persistentVolumeClaim: { claimName: "parts" } }];
  const env = [{ name: "NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }];
  const volumeMounts = [
    { name: "c", mountPath: "/one", subPath: "logs/one" },
    { name: "c", mountPath: "/mine", subPathExpr: "pods/$(NAME)" },
  ];
  await run("parts", "echo 1 >/one/x; echo 2 >/mine/x", { volumes }, { volumeMounts, env });
  const { text } = await run(
    "whole",
    "cd /all; cat logs/one/x pods/parts/x",
    { volumes },
    { volumeMounts: [{ name: "c", mountPath: "/all" }] },
  );
  assert.equal(text, "1\n2\n");
  where.client.put(
    pods,
    podObject(
      "no-such",
      { volumes },
      { ...shell("true"), volumeMounts: [{ name: "c", mountPath: "/x", subPathExpr: "$(NONE)" }] },
    ),
  );
  assert.match(await waitingFor("no-such"), /subPathExpr: missing value for "NONE"/);
});

void test("no link that a pod leaves in a volume leads another out of it by subPath", async () => {
  claim("trap", "Bound");
  const volumes = [{ name: "c", persistentVolumeClaim: { claimName: "trap" } }];
  const whole = { volumeMounts: [{ name: "c", mountPath: "/c" }] };
  await run(
    "trapper",
    "cd /c; mkdir real; echo ok >real/x; ln -s real inner; ln -s /etc outer; ln -s ../../.. up; ln -s /etc/passwd file",
    { volumes },
    whole,
  );
  for (const subPath of ["outer", "up", "file", "outer/deep", "up/state"]) {
    const name = `trapped-${subPath.replace("/", "-")}`;
    where.client.put(
      pods,
      podObject(
        name,
        { volumes },
        { ...shell("ls /x; sleep 600"), volumeMounts: [{ name: "c", mountPath: "/x", subPath }] },
      ),
    );
    assert.match(await waitingFor(name), /leads out of its volume|of its volume: /, subPath);
  }
  const inner = { volumeMounts: [{ name: "c", mountPath: "/x", subPath: "inner" }] };
  assert.equal((await run("inner", "cat /x/x", { volumes }, inner)).text, "ok\n");
});

void test("no pod that swaps a directory for a link at the worst moment gets another's subPath out of their volume", async () => {
  claim("race", "Bound");
  const volumes = [{ name: "c", persistentVolumeClaim: { claimName: "race" } }];
  await stay(
    "racer",
    { volumes },
    {
      ...shell(
        'cd /c; mkdir a; ln -s /etc b; node -e \'const f=require("fs");for(;;){f.renameSync("a","t");f.renameSync("b","a");f.renameSync("a","b");f.renameSync("t","a")}\'',
      ),
      volumeMounts: [{ name: "c", mountPath: "/c" }],
    },
  );
  const names = Array.from({ length: 8 }, (_, index) => `raced-${index}`);
  const script = "if [ -e /x/passwd ]; then echo ESCAPED; else echo inside; fi; sleep 600";
  for (const name of names) {
    where.client.put(
      pods,
      podObject(name, { volumes }, { ...shell(script), volumeMounts: [{ name: "c", mountPath: "/x", subPath: "a" }] }),
    );
  }
  const settled = (pod: Pod): boolean => {
    const state = pod.status?.containerStatuses?.[0]?.state;
    return state?.running !== undefined || state?.waiting?.message !== undefined;
  };
  for (const name of names) {
    const pod = await podThat(where.client, name, settled);
    if (pod.status?.containerStatuses?.[0]?.state?.running === undefined) continue;
    assert.equal(await said(name, "[ -e /x/passwd ] && echo ESCAPED || echo inside"), "inside\n");
  }
});

void test("what a link leads out of its volume is not mounted, even when it was looked at before it was one", async () => {
  const base = await mkdtemp("/var/tmp/fairlead-pin-");
  const volume = join(base, "volume");
  await mkdir(join(volume, "inner"), { recursive: true });
  await symlink("/etc", join(volume, "outer"));
  await symlink("inner", join(volume, "link"));
  const runtime = processRuntime({
    host,
    log: silentLog,
    scratch: join(base, "view"),
    hidden: [],
    nodeBinary: process.execPath,
    rootless,
    allowHostAccess: false,
    cgroup: base,
    memory: "1Gi",
  });
  await runtime.prepare();
  const startWith = (part: string) =>
    runtime.start({
      pod: podObject("pinned", {}, shell("true")),
      container: { name: "main", ...shell("true") },
      sandbox: { network: "host", addresses: [] },
      hostname: "pinned",
      command: ["true"],
      env: { PATH: "/usr/bin:/bin" },
      mounts: [{ source: join(volume, part), target: "/x", readOnly: true, within: volume }],
      directory: join(base, part, "0"),
      log: join(base, "log"),
    });
  try {
    await assert.rejects(startWith("outer"), /outer leads out of its volume, to .*\/etc$/);
    const started = await startWith("link");
    await until("it to end", async () => (await runtime.status(started)).state === "exited");
  } finally {
    await runtime.close();
    await rm(base, { recursive: true, force: true });
  }
});

void test("fsGroup: the program is in the group, and volumes are the group's", { skip: rootless }, async () => {
  claim("shared", "Bound");
  map("grouped", { a: "A" });
  const volumes = [
    { name: "e", emptyDir: {} },
    { name: "c", persistentVolumeClaim: { claimName: "shared" } },
    { name: "m", configMap: { name: "grouped", defaultMode: 0o600 } },
  ];
  const volumeMounts = volumes.map(({ name }) => ({ name, mountPath: `/${name}` }));
  await run("before", "umask 077; mkdir /c/d; echo x >/c/d/f", { volumes }, { volumeMounts });
  const securityContext = { runAsUser: 1234, runAsGroup: 99, fsGroup: 4567, supplementalGroups: [777] };
  await stay("group", { volumes, securityContext }, { volumeMounts });
  const groups = await said("group", "id -u; id -g; id -G");
  assert.equal(groups, "1234\n99\n99 777 4567\n");
  assert.equal(
    await said("group", "touch /e/x /c/x; stat -L -c '%g %a' /e /e/x /c/x /c/d/f /m/a; cat /c/d/f"),
    "4567 2777\n4567 644\n4567 644\n4567 660\n4567 640\nx\n",
  );
});

void test("what is no volume here is refused by its name", async () => {
  const volumes = [{ name: "n", nfs: { server: "192.0.2.1", path: "/" } }];
  where.client.put(pods, podObject("nfs", { volumes }, shell("true")));
  assert.match(await waitingFor("nfs"), /^volume n: nfs is not supported here; emptyDir, .* are$/);
});
