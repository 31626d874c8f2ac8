import assert from "node:assert/strict";
import { mkdtemp, chmod } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { RunResult } from "../../src/host/host.ts";
import { bringUp, FAIRLEAD, type Fairlead, type UpOptions } from "../lab/fairlead.ts";
import { isRealRoot } from "../lab/ground.ts";
import { endAll, podNamed, processesOf } from "../lab/inside.ts";
import { createLab, type Lab, type LabHost } from "../lab/lab.ts";
import { differences, settledTraces, traces } from "../lab/traces.ts";
import { until } from "../lab/until.ts";
import { manifest, service, webPod } from "./fixtures.ts";

const SITES: readonly { readonly name: string; readonly options: UpOptions }[] = [
  { name: "host site", options: { flags: [] } },
  { name: "private site without root", options: { ordinary: true } },
];

for (const { name, options } of SITES) {
  const ordinary = options.ordinary === true;
  // Each "ordinary user" of a lab without root is a user namespace of its own, and cannot enter what another left.
  const skip = ordinary && !isRealRoot() ? "needs root, to be the same ordinary user twice" : false;
  describe(`nothing is left, ${name}`, { skip }, () => {
    let lab: Lab;
    let host: LabHost;
    before(async () => {
      lab = await createLab();
      host = await lab.add("h1");
    });
    after(() => lab.close());

    const command = (data: string, ...words: string[]): Promise<RunResult> => {
      const [first, ...rest] = [...(ordinary ? host.ordinaryUser : []), "env", "HOME=/tmp", FAIRLEAD, ...words];
      return host.run(first!, [...rest, "--data", data], { timeout: 60_000 });
    };
    const started = async (data: string): Promise<Fairlead> => {
      const files = [
        manifest(host, "web.yaml", [service("web", { type: "NodePort" }), webPod("web-1", { app: "web" })]),
      ];
      const fairlead = await bringUp(host, { ...options, data, files });
      await until(
        "the pod to be ready",
        async () =>
          (await podNamed(data, "web-1")).status?.conditions?.find(({ type }) => type === "Ready")?.status === "True",
      );
      return fairlead;
    };
    const directory = async (): Promise<string> => {
      const parent = await mkdtemp(join(host.scratch, "data-"));
      await chmod(parent, 0o777);
      return join(parent, "d");
    };

    for (const how of ["Ctrl-C", "down", "down after SIGKILL of everything"] as const) {
      test(`after ${how}`, async () => {
        const data = await directory();
        const was = await traces(host);
        const fairlead = await started(data);
        const meanwhile = differences(was, await traces(host)).map((line) => line.split(":")[0]);
        assert.ok(meanwhile.includes("+ processes"), "the comparison must see what runs");
        if (!ordinary) {
          for (const what of ["links", "addresses", "routes", "namespaces", "tables", "sysctls"])
            assert.ok(meanwhile.includes(`+ ${what}`), `the comparison must see ${what}: ${meanwhile.join()}`);
        }
        if (how === "Ctrl-C") assert.equal(await fairlead.end("SIGINT"), 0, fairlead.complaints());
        else {
          if (how !== "down") await endAll(await processesOf(fairlead), "SIGKILL");
          const down = await command(data, "down");
          assert.deepEqual({ code: down.code, stderr: down.stderr }, { code: 0, stderr: "" });
          await fairlead.running.ended;
        }
        assert.deepEqual(differences(was, await traces(host)), []);
        const again = await command(data, "down");
        assert.deepEqual(
          { code: again.code, stdout: again.stdout },
          { code: 0, stdout: `fairlead: nothing runs on ${data} and nothing is left of it\n` },
        );
      });
    }

    test("a second up is refused with the first one's process id and address, on another directory with the port's remedy", async () => {
      const data = await directory();
      const other = await directory();
      const fairlead = await started(data);
      try {
        const was = await settledTraces(host);
        const flags = ["--listen", "127.0.0.1:6443", ...(options.flags ?? [])];
        const same = await command(data, "up", ...flags);
        assert.equal(same.code, 1);
        assert.match(
          same.stderr,
          new RegExp(`process id ${fairlead.running.pid}, which answers at ${fairlead.server};`),
        );
        const beside = await command(other, "up", ...flags);
        assert.equal(beside.code, 1);
        assert.match(beside.stderr, /127\.0\.0\.1:6443.*choose another port with --listen ADDR:PORT/);
        assert.equal(beside.stderr.trim().split("\n").length, 1, beside.stderr);
        assert.deepEqual(differences(was, await traces(host)), []);
      } finally {
        await fairlead.end();
      }
    });
  });
}
