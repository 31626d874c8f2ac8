import assert from "node:assert/strict";
import { chmodSync, copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Pod } from "../../src/api/generated/types.ts";
import { bringUp, type Fairlead, type UpOptions } from "../lab/fairlead.ts";
import { isRealRoot } from "../lab/ground.ts";
import { podNamed, readThroughApi } from "../lab/inside.ts";
import { CHECKOUT, createLab, type Lab, type LabHost } from "../lab/lab.ts";
import { until } from "../lab/until.ts";
import type { Running } from "../../src/host/host.ts";
import { manifest } from "./fixtures.ts";

const SITES: readonly { readonly name: string; readonly options: UpOptions }[] = [
  { name: "host site", options: { flags: [] } },
  { name: "private site without root", options: { ordinary: true } },
];

/** What a pod tries, by name: each a shell command that must not print GAINED. */
const attempts = (data: string, aside: string, abstract: string): Record<string, string> => {
  const connect = (address: string): string =>
    `node -e 'require("node:net").connect({path:${address}}).on("connect",()=>(console.log("GAINED"),process.exit())).on("error",(e)=>console.log(e.code))'`;
  return {
    "read the kubeconfig": `cat ${data}/kubeconfig && echo GAINED`,
    "read a key": `cat ${data}/pki/ca.key && echo GAINED`,
    "read the database": `head -c 16 ${data}/store.db && echo GAINED`,
    "list DIR": `ls ${data}/pki ${data}/run ${data}/node && echo GAINED`,
    "read DIR through another process": `for p in /proc/[0-9]*; do cat $p/root${data}/kubeconfig && echo GAINED; done`,
    "write to the host": `for d in / /etc /usr /usr/bin /home /root /opt /srv /var/lib ${aside}; do touch $d/fairlead-was-here && echo GAINED $d; done`,
    "write to /var/tmp": `touch ${aside}/open/file && echo GAINED`,
    "change a setting of the kernel": `echo 1 > /proc/sys/net/ipv4/ip_forward && echo GAINED; echo 1 > /proc/sys/kernel/sysrq && echo GAINED`,
    "open a block device": `find /dev -type b | grep . && echo GAINED; mknod /tmp/disk b 254 0 && head -c 1 /tmp/disk && echo GAINED; head -c 1 /dev/vda && echo GAINED`,
    "have a capability": `grep -E '^Cap(Inh|Prm|Eff|Bnd|Amb):' /proc/self/status | grep -v '0000000000000000' && echo GAINED`,
    "gain by a setuid program": `[ "$(${aside}/setuid-id -u)" = 0 ] && echo GAINED; grep NoNewPrivs /proc/self/status | grep -v '1$' && echo GAINED`,
    "mount in a user namespace": `unshare -U -r -m sh -c 'mount -t tmpfs none /mnt && echo GAINED'`,
    "be root in a user namespace": `[ "$(unshare -U -r id -u)" = 0 ] && echo GAINED`,
    mount: `mount -t tmpfs none /mnt && echo GAINED`,
    "see other processes": `[ "$(ls -d /proc/[0-9]* | wc -l)" -gt 12 ] && echo GAINED`,
    "connect to a socket in /var/tmp": `ls -l ${aside}/socket; ${connect(`"${aside}/socket"`)}`,
    "connect to the server's socket": connect(`"${data}/run/server.sock"`),
    "connect to the node's socket": connect(`"${data}/run/node.sock"`),
    "connect to an abstract socket": connect(`"\\0${abstract}"`),
    "read the home's secrets": `cat "${aside}/home/.ssh/id" "${aside}/home/.netrc" && echo GAINED; ls -A ${aside}/home | grep '^[.]' && echo GAINED`,
  };
};

/** Tries all and says the outcome of each as one line of JSON. */
const prisoner = (commands: Record<string, string>): Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "prisoner", namespace: "default" },
  spec: {
    restartPolicy: "Never",
    volumes: [{ name: "own", emptyDir: {} }],
    containers: [
      {
        name: "prisoner",
        volumeMounts: [{ name: "own", mountPath: "/own" }],
        command: [
          "node",
          "-e",
          `const { spawnSync } = require("node:child_process");
           const tried = ${JSON.stringify({ ...commands, "write to its volume": "echo x > /own/x && cat /own/x" })};
           for (const [name, command] of Object.entries(tried)) {
             const { stdout, stderr } = spawnSync("/bin/sh", ["-c", command], { encoding: "utf8", timeout: 10000 });
             console.log(JSON.stringify({ name, stdout, stderr }));
           }`,
        ],
      },
    ],
  },
});

interface Outcome {
  readonly name: string;
  readonly stdout: string;
  readonly stderr: string;
}

for (const { name, options } of SITES) {
  describe(`a process pod is not the host, ${name}`, () => {
    let lab: Lab;
    let host: LabHost;
    let fairlead: Fairlead;
    let aside: string;
    let listening: Server;
    let abstract: Running;
    const outcomes = new Map<string, Outcome>();
    const data = (): string => join(aside, "data");
    const abstractName = `fairlead-test-${process.pid}`;

    before(async () => {
      lab = await createLab();
      host = await lab.add("h1");
      // A place that pods see: not below /tmp, which is each pod's own.
      aside = mkdtempSync("/var/tmp/fairlead-confinement-");
      chmodSync(aside, 0o777);
      await host.check("mkdir", ["-m", "0777", join(aside, "open"), join(aside, "home"), join(aside, "home/.ssh")]);
      writeFileSync(join(aside, "home/.ssh/id"), "secret\n");
      writeFileSync(join(aside, "home/.netrc"), "secret\n");
      writeFileSync(join(aside, "home/plain"), "public\n");
      copyFileSync("/usr/bin/id", join(aside, "setuid-id"));
      chmodSync(join(aside, "setuid-id"), 0o4755);
      listening = createServer((socket) => socket.on("error", () => {}).end("host"));
      await new Promise<void>((resolve) => listening.listen(join(aside, "socket"), resolve));
      chmodSync(join(aside, "socket"), 0o777);
      abstract = await host.open(`${CHECKOUT}/node_modules/.bin/node`, [
        "-e",
        `require("node:net").createServer((s) => s.on("error", () => {}).end("host")).listen({ path: "\\0${abstractName}" }, () => console.log("ready"))`,
      ]);
      await new Promise((resolve) => abstract.stdout.once("data", resolve));
      const pod = prisoner(attempts(data(), aside, abstractName));
      fairlead = await bringUp(host, {
        ...options,
        data: data(),
        home: join(aside, "home"),
        files: [manifest(host, "prisoner.yaml", [pod])],
      });
      await until(
        "the pod to have tried all",
        async () => (await podNamed(data(), "prisoner")).status?.phase === "Succeeded",
      );
      const log = await readThroughApi(data(), "/api/v1/namespaces/default/pods/prisoner/log");
      for (const line of log.trimEnd().split("\n")) {
        const outcome = JSON.parse(line) as Outcome;
        outcomes.set(outcome.name, outcome);
      }
    });
    after(async () => {
      await fairlead?.end();
      abstract?.kill("SIGKILL");
      listening?.close();
      await lab?.close();
      if (aside !== undefined) rmSync(aside, { recursive: true, force: true });
    });

    test("what it tries is there to be gained from outside", async () => {
      const tried = async (command: string): Promise<string> =>
        (await host.run("sh", ["-c", command], { env: { PATH: `${process.env["PATH"]}` } })).stdout;
      const commands = attempts(data(), aside, abstractName);
      for (const what of [
        "read the kubeconfig",
        "read a key",
        "read the database",
        "list DIR",
        "write to /var/tmp",
        "mount in a user namespace",
        "connect to a socket in /var/tmp",
        "connect to the server's socket",
        "connect to the node's socket",
        "connect to an abstract socket",
        "read the home's secrets",
      ]) {
        assert.match(await tried(commands[what]!), /GAINED/, what);
      }
    });

    for (const what of Object.keys(attempts("", "", ""))) {
      // A home directory hides its secrets from the pods of who owns it; root's pods are another user's.
      const skip = what.includes("home") && options.ordinary !== true ? "root's pods run as nobody" : false;
      test(`it cannot ${what}`, { skip }, () => {
        const outcome = outcomes.get(what);
        assert.ok(outcome !== undefined, "the pod has not said what came of it");
        assert.doesNotMatch(outcome.stdout, /GAINED/, JSON.stringify(outcome));
      });
    }

    test("it can write to its volume, and all was tried", () => {
      assert.equal(outcomes.get("write to its volume")?.stdout, "x\n");
      assert.equal(outcomes.size, Object.keys(attempts("", "", "")).length + 1);
      if (isRealRoot()) assert.notEqual(outcomes.get("gain by a setuid program")?.stderr, undefined);
    });
  });
}
