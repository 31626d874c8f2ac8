import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Pod } from "../../src/api/generated/types.ts";
import { pods } from "../../src/api/resources.ts";
import { layoutOf } from "../../src/cli/data/layout.ts";
import type { Made } from "../../src/cli/site/made.ts";
import { isRunning } from "../../src/host/process-identity.ts";
import { bringUp, type Fairlead, type UpOptions } from "../lab/fairlead.ts";
import {
  allObjects,
  childOf,
  endAll,
  endStarted,
  intoNetwork,
  podNamed,
  processesOf,
  programsOf,
  readThroughApi,
  recordsOf,
  withClient,
} from "../lab/inside.ts";
import { isRealRoot } from "../lab/ground.ts";
import { createLab, type Lab, type LabHost } from "../lab/lab.ts";
import { callerScript, startLoad, type Load, type Seen } from "../lab/load.ts";
import { until } from "../lab/until.ts";
import { manifest, service, webPod } from "./fixtures.ts";

const SITES: readonly { readonly name: string; readonly options: UpOptions; readonly signals: NodeJS.Signals[] }[] = [
  { name: "host site", options: { flags: [] }, signals: ["SIGTERM", "SIGHUP", "SIGKILL"] },
  { name: "private site", options: { flags: ["--private"] }, signals: ["SIGTERM", "SIGKILL"] },
  { name: "private site without root", options: { ordinary: true }, signals: ["SIGTERM", "SIGKILL"] },
];

const ADDRESS = "10.96.100.1";

/** Calls the Service all the time from inside a pod, and writes what it has seen. */
const callerPod: Pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "caller", namespace: "default" },
  spec: {
    terminationGracePeriodSeconds: 1,
    containers: [{ name: "caller", command: ["node", "-e", callerScript(`http://${ADDRESS}/`, [])] }],
  },
};

/** Prints numbered lines until it is told to end, then a thousand more, and ends with 42. */
const printerPod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "printer" },
  spec: {
    restartPolicy: "Never",
    volumes: [{ name: "told", emptyDir: {} }],
    containers: [
      {
        name: "printer",
        volumeMounts: [{ name: "told", mountPath: "/told" }],
        command: [
          "node",
          "-e",
          `let line = 0;
           const print = () => console.log("line " + line++);
           const timer = setInterval(() => {
             print();
             if (!require("node:fs").existsSync("/told/end")) return;
             clearInterval(timer);
             for (let more = 0; more < 1000; more++) print();
             console.log("last of " + line);
             process.exitCode = 42;
           }, 10);`,
        ],
      },
    ],
  },
};

const logOf = (data: string, name: string): string => {
  const record = recordsOf(data).find((each) => each.name === name)!;
  const directory = join(data, "node/logs", `${record.namespace}_${record.name}_${record.uid}`, name);
  return readFileSync(join(directory, "0.log"), "utf8");
};

/** What the calling pod has said last. */
const callerSaw = (data: string): Seen => JSON.parse(logOf(data, "caller").trimEnd().split("\n").at(-1)!) as Seen;

const isReady = (pod: Pod): boolean => pod.status?.conditions?.find(({ type }) => type === "Ready")?.status === "True";

for (const { name, options, signals } of SITES) {
  // Each "ordinary user" of a lab without root is a user namespace of its own, and cannot enter what another left.
  const skip = options.ordinary === true && !isRealRoot() ? "needs root, to be the same ordinary user twice" : false;
  describe(`deaths of Fairlead, ${name}`, { skip }, () => {
    let lab: Lab;
    let host: LabHost;
    let fairlead: Fairlead;
    let load: Load;

    before(async () => {
      lab = await createLab();
      host = await lab.add("h1");
      const files = [
        manifest(host, "web.yaml", [
          service("web", { clusterIP: ADDRESS }),
          service("node-port", { type: "NodePort" }),
          ...[1, 2, 3].map((number) => webPod(`web-${number}`, { app: "web" })),
          printerPod,
        ]),
      ];
      fairlead = await bringUp(host, { ...options, files });
      await untilReady(["web-1", "web-2", "web-3", "printer"]);
      const into = intoNetwork(host, fairlead.data, options.ordinary === true);
      await until("the Service to answer", async () => {
        const [command, ...args] = [...into, "curl", "-sf", "--max-time", "1", `http://${ADDRESS}/`];
        return (await host.run(command, args)).code === 0;
      });
      load = await startLoad(host, into, `http://${ADDRESS}/`);
      await withClient(fairlead.data, (client) => client.create<Pod>(pods, callerPod));
      await untilReady(["caller"]);
      await load.more(50);
    });
    after(async () => {
      await load?.end();
      await fairlead?.end();
      await lab?.close();
    });

    const untilReady = (names: readonly string[]): Promise<unknown> =>
      until(`pods ${names.join(", ")} to be ready`, async () =>
        (await Promise.all(names.map((each) => podNamed(fairlead.data, each)))).every(isReady),
      );
    const again = async (): Promise<void> => {
      fairlead = await bringUp(host, { ...options, data: fairlead.data });
    };
    /** What must be the same before and after: every object, and the pods' programs and addresses. */
    const state = async (): Promise<{ objects: unknown; programs: unknown }> => ({
      objects: await allObjects(fairlead.data),
      programs: await programsOf(fairlead.data),
    });
    const undisturbed = (): void => {
      for (const seen of [load.seen(), callerSaw(fairlead.data)]) {
        assert.deepEqual({ failed: seen.failed, failures: seen.failures }, { failed: 0, failures: [] });
        assert.ok(seen.longest < 3000, `a call took ${seen.longest} ms`);
      }
    };

    for (const signal of signals) {
      test(`${signal} of all its processes under load: no call fails, and the next up takes over the pods and every object`, async () => {
        const was = await state();
        // A terminal that is closed, or `kill PID`, reaches the supervisor; a crash of the machine's memory reaches all.
        const all = await processesOf(fairlead);
        if (signal === "SIGHUP") {
          fairlead.running.kill(signal);
          assert.equal(await fairlead.running.ended, 0, fairlead.complaints());
        } else await endAll(all, signal);
        await load.more(150);
        undisturbed();
        await again();
        await load.more(150);
        undisturbed();
        assert.deepEqual(await state(), was);
        assert.deepEqual(Object.keys(load.seen().by).sort(), ["web-1", "web-2", "web-3"]);
      });
    }

    test("SIGKILL of the supervisor alone, and an up at once: the old processes end before the new ones begin", async () => {
      const was = await state();
      const [supervisor, ...children] = await processesOf(fairlead);
      await endAll([supervisor!], "SIGKILL");
      await again();
      assert.deepEqual(await Promise.all(children.map(isRunning)), [false, false]);
      await load.more(50);
      undisturbed();
      assert.deepEqual(await state(), was);
    });

    for (const part of ["server", "site"] as const) {
      test(`SIGKILL of the ${part} process: the supervisor brings it back, no call fails, nothing is lost`, async () => {
        const was = await state();
        const said = fairlead.events.length;
        const old = await childOf(fairlead, part);
        await endAll([old], "SIGKILL");
        await load.more(50);
        await until(`the ${part} to be back`, async () => (await childOf(fairlead, part)).pid !== old.pid);
        // It works again when a change goes the whole way: a pod without its label gets no more calls.
        await until("the API to take a change", () =>
          withClient(fairlead.data, async (client) => {
            await client.patch(pods, { namespace: "default", name: "web-3" }, "merge", {
              metadata: { labels: { app: "no" } },
            });
            return true;
          }),
        );
        await until("web-3 to get no more calls", async () => {
          const before = load.seen().by["web-3"];
          await load.more(30);
          return load.seen().failed > 0 || load.seen().by["web-3"] === before;
        });
        await withClient(fairlead.data, (client) =>
          client.patch(pods, { namespace: "default", name: "web-3" }, "merge", {
            metadata: { labels: { app: "web" } },
          }),
        );
        const calls = load.seen().by["web-3"]!;
        await until("web-3 to get calls again", () => load.seen().failed > 0 || load.seen().by["web-3"]! > calls);
        undisturbed();
        assert.deepEqual(
          fairlead.events
            .slice(said)
            .filter(({ event }) => event === "restarted")
            .map(({ process }) => process),
          [part],
        );
        assert.deepEqual(await state(), was);
      });
    }

    test("a pod that prints and ends with 42 while Fairlead is dead loses no line, and the next up reports 42", async () => {
      await endAll(await processesOf(fairlead), "SIGKILL");
      const record = recordsOf(fairlead.data).find((each) => each.name === "printer")!;
      writeFileSync(join(fairlead.data, "node/volumes", record.uid, "told/end"), "");
      await until("the pod to end", () => logOf(fairlead.data, "printer").includes("last of"));
      await again();
      const pod = await until("the pod's end to be told", async () => {
        const now = await podNamed(fairlead.data, "printer");
        return now.status?.containerStatuses?.[0]?.state?.terminated !== undefined && now;
      });
      assert.equal(pod.status?.phase, "Failed");
      assert.equal(pod.status?.containerStatuses?.[0]?.state?.terminated?.exitCode, 42);
      const log = (await readThroughApi(fairlead.data, "/api/v1/namespaces/default/pods/printer/log"))
        .trimEnd()
        .split("\n");
      const lines = log.slice(0, -1);
      assert.ok(lines.length > 1000);
      assert.deepEqual(
        lines,
        lines.map((_, index) => `line ${index}`),
      );
      assert.equal(log.at(-1), `last of ${lines.length}`);
      undisturbed();
    });

    test("after a reboot the next up starts the pods again", async () => {
      const objects = Object.keys(await allObjects(fairlead.data));
      const before = await programsOf(fairlead.data);
      const sandboxes = recordsOf(fairlead.data).flatMap(({ sandbox }) => (sandbox.network === "own" ? [sandbox] : []));
      await load.end();
      await endAll(await processesOf(fairlead), "SIGKILL");
      const path = layoutOf(fairlead.data).made;
      const made = JSON.parse(readFileSync(path, "utf8")) as Made;
      writeFileSync(path, JSON.stringify({ ...made, boot: "another" }));
      // A reboot ends every program and forgets every namespace, link and rule.
      for (const record of recordsOf(fairlead.data)) {
        for (const { started } of Object.values(record.containers)) await endStarted(started);
      }
      if (made.holder !== undefined) process.kill(made.holder.process.pid, "SIGKILL");
      if (made.anchor !== undefined) process.kill(made.anchor.pid, "SIGKILL");
      else {
        for (const { namespace, link } of sandboxes)
          await host.run("sh", ["-c", `ip link del ${link}; ip netns del ${namespace}`]);
        await host.run("ip", ["link", "del", "fairlead0"]);
        await host.run("nft", ["flush", "ruleset"]);
      }
      await again();
      const names = ["web-1", "web-2", "web-3", "caller"];
      // What the API says of them at first is from before the reboot.
      await until("the pods to be started again", async () =>
        (await Promise.all(names.map((each) => podNamed(fairlead.data, each)))).every(
          (pod) => pod.status?.containerStatuses?.[0]?.restartCount === 1,
        ),
      );
      await untilReady(names);
      load = await startLoad(host, intoNetwork(host, fairlead.data, options.ordinary === true), `http://${ADDRESS}/`);
      await load.more(50);
      assert.deepEqual(load.seen().failures, []);
      const now = Object.keys(await allObjects(fairlead.data));
      assert.deepEqual(
        objects.filter((uid) => !now.includes(uid)),
        [],
      );
      assert.notDeepEqual(await programsOf(fairlead.data), before);
    });
  });
}
