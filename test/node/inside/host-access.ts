import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Container, PodSpec } from "../../../src/api/generated/types.ts";
import { pods } from "../../../src/api/resources.ts";
import type { NodePart } from "../../../src/node/node.ts";
import { bed, conditionOf, output, podObject, podThat, rootless, said, shell, waitingFor, type Bed } from "./bed.ts";

let where: Bed;
let part: NodePart;
let files: string;

before(async () => {
  where = await bed({ allowHostAccess: true });
  files = await mkdtemp("/var/tmp/fairlead-host-");
  part = await where.start();
});
after(async () => {
  await where.end(part);
  await rm(files, { recursive: true, force: true });
});

const run = async (name: string, script: string, spec: Partial<PodSpec> = {}, container: Partial<Container> = {}) =>
  (await output(where.client, part, name, podObject(name, spec, { ...shell(script), ...container }))).text;
const hostPath = (path: string, type?: string) => ({
  volumes: [{ name: "h", hostPath: { path, ...(type === undefined ? {} : { type }) } }],
});
const MOUNTED = { volumeMounts: [{ name: "h", mountPath: "/h" }] };
const waiting = (name: string, spec: Partial<PodSpec>, container: Partial<Container> = {}): Promise<string> => {
  where.client.put(pods, podObject(name, spec, { ...shell("true"), ...container }));
  return waitingFor(where.client, name);
};
const capabilities = (text: string, set: string): bigint =>
  BigInt(`0x${new RegExp(`^Cap${set}:\\s*([0-9a-f]+)$`, "m").exec(text)?.[1]}`);

void test("CTL-119, DNS-097, DNS-101, DNS-104: a pod on the node's network has its addresses, name, hosts and resolver", async () => {
  const script =
    "cat /etc/hosts; echo --; cat /etc/resolv.conf; echo --; hostname; ls /sys/class/net 2>&1; cat /proc/net/dev; sleep 600";
  const spec = { hostNetwork: true, hostname: "ignored", hostAliases: [{ ip: "1.2.3.4", hostnames: ["alias"] }] };
  where.client.put(pods, podObject("on-host", spec, shell(script)));
  const pod = await podThat(where.client, "on-host", (each) => conditionOf(each, "Ready") === "True");
  assert.deepEqual(pod.status?.podIPs, pod.status?.hostIPs);
  assert.equal(pod.status?.podIP, "10.244.0.1");
  const text = await said(part, "on-host", "cat /etc/hosts");
  const own = await readFile("/etc/hosts", "utf8");
  assert.equal(
    text,
    `# Managed by Fairlead: the hosts of the node (host network).\n${own.trimEnd()}\n\n# Entries of spec.hostAliases.\n1.2.3.4\talias\n`,
  );
  assert.equal(await said(part, "on-host", "hostname"), `${hostname()}\n`);
  assert.match(await said(part, "on-host", "cat /proc/net/dev"), /fairlead0:/);
  assert.doesNotMatch(await said(part, "on-host", "cat /etc/resolv.conf"), /cluster\.local/);
});

void test("hostPath: what is there is checked or made as its type says, and written to", async () => {
  const there = join(files, "there");
  await writeFile(there, "one\n");
  assert.equal(await run("file", "cat /h", hostPath(there, "File"), MOUNTED), "one\n");
  await run("made", "true", hostPath(join(files, "made/deep"), "DirectoryOrCreate"), MOUNTED);
  await run("made-file", "true", hostPath(join(files, "empty"), "FileOrCreate"), MOUNTED);
  assert.equal(await readFile(join(files, "empty"), "utf8"), "");
  for (const [type, path, what] of [
    ["Directory", there, "a directory"],
    ["File", files, "a file"],
    ["Directory", join(files, "none"), "a directory"],
    ["Socket", there, "a socket file"],
    ["CharDevice", there, "a character device"],
    ["BlockDevice", there, "a block device"],
  ] as const) {
    const name = `wrong-${type.toLowerCase()}-${path === there ? "file" : path === files ? "all" : "none"}`;
    assert.equal(
      await waiting(name, hostPath(path, type), MOUNTED),
      `hostPath type check failed: ${path} is not ${what}`,
    );
  }
  assert.equal(await run("device", "head -c 1 /h | wc -c", hostPath("/dev/zero", "CharDevice"), MOUNTED), "1\n");
});

void test(
  "root of a container has what root has in containers, also by exec, and no more",
  { skip: rootless },
  async () => {
    const securityContext = { runAsUser: 0, capabilities: { add: ["NET_ADMIN"], drop: ["CHOWN"] } };
    where.client.put(
      pods,
      podObject("root", hostPath(files), {
        ...shell("cat /proc/self/status; echo x >/h/by-root; sleep 600"),
        ...MOUNTED,
        securityContext,
      }),
    );
    await podThat(where.client, "root", (each) => conditionOf(each, "Ready") === "True");
    const status = await said(part, "root", "id -u; cat /proc/self/status");
    assert.match(status, /^0\n/);
    // 12 is NET_ADMIN, 0 is CHOWN, 21 is SYS_ADMIN, 6 is SETGID (linux/capability.h).
    for (const set of ["Prm", "Eff", "Bnd"]) {
      const bits = capabilities(status, set);
      assert.deepEqual(
        [12n, 0n, 21n, 6n].map((bit) => (bits >> bit) & 1n),
        [1n, 0n, 0n, 1n],
        set,
      );
    }
    assert.equal(await said(part, "root", "cat /h/by-root; touch /usr/x 2>&1 | grep -o Read-only"), "x\nRead-only\n");
  },
);

void test("a privileged container has every capability and the host's devices", { skip: rootless }, async () => {
  const securityContext = { privileged: true };
  const text = await run("all", "cat /proc/self/status; ls /dev; ls /sys/class", {}, { securityContext });
  const all = capabilities(await readFile("/proc/self/status", "utf8"), "Bnd");
  assert.equal(capabilities(text, "Eff"), all);
  assert.match(text, /^Seccomp:\s0$/m);
  assert.match(text, /^net$/m);
});

void test("who promised not to be root is not", { skip: rootless }, async () => {
  const message = await waiting(
    "promised",
    { securityContext: { runAsNonRoot: true } },
    { securityContext: { runAsUser: 0 } },
  );
  assert.match(
    message,
    /^container's runAsUser breaks non-root policy \(pod: "promised_default\(.*\)", container: main\)$/,
  );
});

void test("what cannot be given is refused by its name, with and without root", async () => {
  assert.match(await waiting("pid", { hostPID: true }), /^spec\.hostPID: /);
  assert.match(await waiting("shared", { shareProcessNamespace: true }), /^spec\.shareProcessNamespace: /);
  const ports = [{ containerPort: 80, hostPort: 8080 }];
  assert.match(await waiting("port", {}, { ports }), /hostPort 8080: .* use a Service of type NodePort/);
  const securityContext = { capabilities: { add: ["FLY"] } };
  assert.match(await waiting("fly", {}, { securityContext }), /capabilities: FLY is no capability/);
  if (rootless) assert.match(await waiting("no-root", {}, { securityContext: { privileged: true } }), /without root/);
});
