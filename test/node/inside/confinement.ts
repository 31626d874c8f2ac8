import assert from "node:assert/strict";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pods } from "../../../src/api/resources.ts";
import type { NodePart } from "../../../src/node/node.ts";
import { bed, conditionOf, output, podObject, podThat, rootless, shell, type Bed } from "./bed.ts";

let where: Bed;
let part: NodePart;
const SOCKET = `/var/tmp/fairlead-socket-${process.pid}`;
const servers: ReturnType<typeof createServer>[] = [];

const listen = async (path: string): Promise<void> => {
  const server = createServer((socket) => socket.end("host"));
  await new Promise<void>((resolve) => server.listen(path, resolve));
  await chmod(path, 0o777);
  servers.push(server);
};

const run = (name: string, script: string, container = {}, spec = {}) =>
  output(where.client, part, name, podObject(name, spec, { ...shell(script), ...container }));

before(async () => {
  where = await bed();
  await mkdir(join(where.hidden, "pki"), { recursive: true });
  await writeFile(join(where.hidden, "pki", "ca.key"), "SECRET");
  // Even with every permission given, neither is to be reached.
  await Promise.all([chmod(where.hidden, 0o777), chmod(join(where.hidden, "pki"), 0o777)]);
  await chmod(join(where.hidden, "pki", "ca.key"), 0o666);
  await listen(SOCKET);
  await listen(join(where.hidden, "api.sock"));
  part = await where.start();
});
after(async () => {
  for (const server of servers) server.close();
  await where.end(part);
});

void test("a pod cannot read a key in a hidden directory", async () => {
  const { text, exitCode } = await run("key", `ls -A ${where.hidden}; cat ${where.hidden}/pki/ca.key`);
  assert.match(text, /No such file/);
  assert.doesNotMatch(text, /SECRET/);
  assert.notEqual(exitCode, 0);
});

void test("a pod writes only to its volumes, /tmp and /run, and sees no other pod's", async () => {
  const script = `for d in / /etc /usr /var /var/tmp ${where.hidden} /home /opt; do touch $d/fl-x 2>/dev/null && echo "wrote $d"; done
    echo hello >/data/file && echo t >/tmp/file && echo r >/run/file && cat /data/file; true`;
  const volumes = [{ name: "data", emptyDir: {} }];
  const mounts = { volumeMounts: [{ name: "data", mountPath: "/data" }] };
  const { text, exitCode } = await run("write", script, mounts, { volumes });
  assert.equal(text, "hello\n");
  assert.equal(exitCode, 0);
  const other = await run("other", "cat /tmp/file; ls -A /data 2>&1");
  assert.doesNotMatch(other.text, /^(t|file)$/m);
});

void test("a volume is mounted where the host has no such directory, and in /etc", async () => {
  const volumes = [{ name: "data", emptyDir: {} }];
  const volumeMounts = [
    { name: "data", mountPath: "/var/lib/fl-app/data" },
    { name: "data", mountPath: "/etc/fl-app" },
  ];
  const { text } = await run(
    "deep",
    "echo one >/var/lib/fl-app/data/x; cat /etc/fl-app/x; touch /etc/fl-y",
    { volumeMounts },
    { volumes },
  );
  assert.match(text, /^one\n/);
  assert.match(text, /Read-only file system/);
});

void test("a pod cannot open or make a block device", async () => {
  const { text } = await run(
    "block",
    "find /dev -type b | grep . && echo FOUND; mknod /tmp/disk b 254 0 && dd if=/tmp/disk of=/dev/null count=1 && echo READ; true",
  );
  assert.doesNotMatch(text, /FOUND|READ/);
  assert.match(text, /mknod/);
});

void test("a pod has no capability and gains none", async () => {
  const { text } = await run("caps", "cat /proc/self/status; unshare -Ur id -u; unshare -m true && echo GAINED; true");
  for (const set of ["Inh", "Prm", "Eff", "Bnd", "Amb"]) assert.match(text, new RegExp(`^Cap${set}:\\s0+$`, "m"));
  assert.match(text, /^NoNewPrivs:\s1$/m);
  assert.match(text, /^Uid:\s65534\s65534\s65534\s65534$/m);
  assert.doesNotMatch(text, /GAINED/);
});

void test("variables that the loader obeys do not reach the program that still has rights", async () => {
  const env = [
    { name: "LD_PRELOAD", value: "/nowhere/evil.so" },
    { name: "LD_DEBUG", value: "libs" },
  ];
  const { text } = await run("loader", "grep ^Cap /proc/self/status; echo $LD_PRELOAD", { env });
  assert.match(text, /^\/nowhere\/evil\.so$/m);
  // The first program that says something about the libraries is the pod's own, or the one that sets its variables.
  assert.doesNotMatch(text, /initialize program: .*setpriv/);
});

void test("a pod cannot connect to a Unix socket of the host", async () => {
  const connect = (path: string): string =>
    `node -e 'require("net").connect(${JSON.stringify(path)}).on("connect",()=>console.log("CONNECTED")).on("error",(e)=>console.log(e.code))'`;
  const { text } = await run("socket", `ls ${SOCKET}; ${connect(SOCKET)}; ${connect(join(where.hidden, "api.sock"))}`);
  assert.equal(text, `${SOCKET}\nECONNREFUSED\nENOENT\n`);
});

void test("a pod sees its own processes, host name and network only", async () => {
  const { text } = await run(
    "alone",
    "hostname; ls -d /proc/[0-9]* | wc -l; ls /proc/net/dev && grep -c : /proc/net/dev",
  );
  const [hostname, processes] = text.split("\n");
  assert.equal(hostname, "alone");
  assert.ok(Number(processes) <= 5, text);
});

void test("exec runs as the pod's user, without capabilities, in its directory", async () => {
  const pod = podObject("exec", {}, { ...shell("sleep 60"), workingDir: "/usr", env: [{ name: "A", value: "b c" }] });
  where.client.put(pods, pod);
  await podThat(where.client, "exec", (each) => conditionOf(each, "Ready") === "True");
  const execution = await part.source.exec(
    { namespace: "default", pod: "exec", container: "main" },
    {
      command: [
        "sh",
        "-c",
        "cat; pwd; echo $A; grep -E '^(CapEff|CapPrm|NoNewPrivs|Uid)' /proc/self/status; hostname; exit 7",
      ],
      stdin: true,
    },
  );
  execution.stdin?.end("said\n");
  const chunks: Buffer[] = [];
  execution.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  assert.equal(await execution.ended, 7);
  const text = Buffer.concat(chunks).toString();
  assert.match(text, /^said\n\/usr\nb c\n/);
  assert.match(text, /^Uid:\s65534\s/m);
  assert.match(text, /^CapPrm:\s0+$/m);
  assert.match(text, /^CapEff:\s0+$/m);
  assert.match(text, /^NoNewPrivs:\s1$/m);
  assert.match(text, /exec\n$/);
});

void test("rights on the host are refused with the name of the field", async () => {
  const refused = async (name: string, spec: object, container: object): Promise<string> => {
    where.client.put(pods, podObject(name, spec, { command: ["true"], ...container }));
    const pod = await podThat(
      where.client,
      name,
      (each) => each.status?.containerStatuses?.[0]?.state?.waiting?.message !== undefined,
    );
    return pod.status?.containerStatuses?.[0]?.state?.waiting?.message ?? "";
  };
  assert.match(await refused("r1", {}, { securityContext: { privileged: true } }), /privileged/);
  assert.match(await refused("r2", { hostNetwork: true }, {}), /hostNetwork/);
  assert.match(await refused("r3", { hostPID: true }, {}), /hostPID/);
  assert.match(await refused("r4", {}, { securityContext: { runAsUser: 0 } }), /runAsUser: 0/);
  assert.match(
    await refused(
      "r5",
      { volumes: [{ name: "h", hostPath: { path: "/" } }] },
      { volumeMounts: [{ name: "h", mountPath: "/h" }] },
    ),
    /hostPath/,
  );
  assert.match(
    await refused(
      "r6",
      { volumes: [{ name: "h", emptyDir: {} }] },
      { volumeMounts: [{ name: "h", mountPath: "/usr/lib" }] },
    ),
    /mountPath \/usr\/lib/,
  );
  assert.match(await refused("r7", {}, { command: [] }), /give a command/);
  if (rootless) assert.match(await refused("r8", {}, { securityContext: { runAsUser: 1000 } }), /without root/);
});
