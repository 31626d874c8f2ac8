import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { bringUp, type Fairlead, type UpOptions } from "../lab/fairlead.ts";
import { isRealRoot } from "../lab/ground.ts";
import { childOf, endAll, processesOf, recordsOf } from "../lab/inside.ts";
import { createLab, type Lab, type LabHost } from "../lab/lab.ts";
import { until } from "../lab/until.ts";
import { manifest } from "./fixtures.ts";

const SITES: readonly { readonly name: string; readonly options: UpOptions }[] = [
  { name: "host site", options: { flags: [] } },
  { name: "private site", options: { flags: ["--private"] } },
  { name: "private site without root", options: { ordinary: true } },
];

/** Asks the C library for an address all the time, four at once, and prints what came of it ten times a second. */
const ASKER = `
import json, socket, threading, time
seen = {"answered": 0, "failed": 0, "failures": [], "longest": 0}
lock = threading.Lock()
def ask():
    while True:
        began = time.monotonic()
        fault = None
        try:
            socket.getaddrinfo("kubernetes.default", 443, type=socket.SOCK_STREAM)
        except OSError as error:
            fault = str(error)
        with lock:
            seen["longest"] = max(seen["longest"], round((time.monotonic() - began) * 1000))
            if fault is None: seen["answered"] += 1
            else:
                seen["failed"] += 1
                if len(seen["failures"]) < 5: seen["failures"].append(fault)
        time.sleep(0.005)
for _ in range(4): threading.Thread(target=ask, daemon=True).start()
while True:
    time.sleep(0.1)
    with lock: print(json.dumps(seen), flush=True)
`;

const askerPod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "asker" },
  spec: { terminationGracePeriodSeconds: 1, containers: [{ name: "asker", command: ["python3", "-c", ASKER] }] },
};

interface Asked {
  readonly answered: number;
  readonly failed: number;
  readonly failures: readonly string[];
  readonly longest: number;
}

/** What the pod has seen so far: the last whole line of its log. */
function askerSaw(data: string): Asked {
  const record = recordsOf(data).find(({ name }) => name === "asker");
  if (record === undefined) throw new Error("the pod asker has not started");
  const directory = join(data, "node/logs", `${record.namespace}_asker_${record.uid}`, "asker");
  const text = readFileSync(join(directory, "0.log"), "utf8");
  return JSON.parse(text.slice(0, text.lastIndexOf("\n")).split("\n").at(-1)!) as Asked;
}

for (const { name, options } of SITES) {
  const skip = options.ordinary === true && !isRealRoot() ? "needs root, to be the same ordinary user twice" : false;
  describe(`cluster DNS whose Fairlead dies, ${name}`, { skip }, () => {
    let lab: Lab;
    let host: LabHost;
    let fairlead: Fairlead;
    before(async () => {
      lab = await createLab();
      host = await lab.add("h1");
      fairlead = await bringUp(host, { ...options, files: [manifest(host, "asker.yaml", [askerPod])] });
      await until("names to be found", () => askerSaw(fairlead.data).answered > 100);
    });
    after(async () => {
      await fairlead?.end();
      await lab?.close();
    });

    /** Waits until the pod has had further answers, and says what failed since `was`. */
    const since = async (was: Asked): Promise<Pick<Asked, "failed" | "failures">> => {
      const { answered } = askerSaw(fairlead.data);
      await until("further answers", () => askerSaw(fairlead.data).answered > answered + 100);
      const now = askerSaw(fairlead.data);
      return { failed: now.failed - was.failed, failures: now.failures.slice(was.failures.length) };
    };

    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      test(`${signal} of all its processes and up again: no question of a pod fails`, async (t) => {
        const was = askerSaw(fairlead.data);
        await endAll(await processesOf(fairlead), signal);
        fairlead = await bringUp(host, { ...options, data: fairlead.data });
        assert.deepEqual(await since(was), { failed: 0, failures: [] });
        t.diagnostic(`the longest took ${askerSaw(fairlead.data).longest} ms`);
      });
    }

    test("SIGKILL of the site process alone: no question of a pod fails", async () => {
      const was = askerSaw(fairlead.data);
      const site = await childOf(fairlead, "site");
      await endAll([site], "SIGKILL");
      await until("the site to be back", async () => (await childOf(fairlead, "site")).pid !== site.pid);
      assert.deepEqual(await since(was), { failed: 0, failures: [] });
    });

    test("also when whoever holds the sockets was killed, the next up has its own", async () => {
      const { holder: before } = JSON.parse(readFileSync(join(fairlead.data, "run/made.json"), "utf8")) as {
        holder: { process: { pid: number } };
      };
      await endAll(await processesOf(fairlead), "SIGKILL");
      process.kill(before.process.pid, "SIGKILL");
      fairlead = await bringUp(host, { ...options, data: fairlead.data });
      await since(askerSaw(fairlead.data));
      assert.deepEqual(await since(askerSaw(fairlead.data)), { failed: 0, failures: [] });
    });
  });
}
