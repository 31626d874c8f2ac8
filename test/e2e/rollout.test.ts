import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { times } from "../lab/counts.ts";
import { bringUp, type Fairlead } from "../lab/fairlead.ts";
import { intoNetwork } from "../lab/inside.ts";
import { kubectls } from "../lab/kubectls.ts";
import { createLab, type Lab, type LabHost } from "../lab/lab.ts";
import { startSteadyLoad } from "../lab/steady-load.ts";
import { until } from "../lab/until.ts";
import { manifest, service } from "./fixtures.ts";
import { smallServer } from "./small-server.ts";

const ADDRESS = "10.96.100.1";
const ROLLOUTS = times(5, 100);
const PER_SECOND = 1000;

const kubectl = kubectls().at(-1) ?? kubectls()[0];

describe("rollouts of a Deployment under load", { skip: kubectl === undefined ? "there is no kubectl" : false }, () => {
  let lab: Lab;
  let host: LabHost;
  let fairlead: Fairlead;
  const run = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await fairlead.kubectl(kubectl!.path, args, { timeout: 120_000 });
    assert.equal(code, 0, `kubectl ${args.join(" ")}: ${stderr}${stdout}`);
    return stdout;
  };

  const untilAnswered = (version: string): Promise<boolean> =>
    until(`${version} to answer`, async () => {
      const words = [
        ...intoNetwork(host, fairlead.data, false),
        "curl",
        "-sf",
        "--max-time",
        "2",
        `http://${ADDRESS}/`,
      ];
      const { stdout } = await host.run(words[0]!, words.slice(1));
      return stdout.trim() === version;
    });

  before(async () => {
    lab = await createLab();
    host = await lab.add("h1");
    const files = [manifest(host, "web.yaml", [service("web", { clusterIP: ADDRESS }), smallServer(3)])];
    fairlead = await bringUp(host, { files });
    // The manifests are applied once everything is ready.
    await until("the Deployment to be there", async () => {
      const { code } = await fairlead.kubectl(kubectl!.path, ["get", "deployment/web"]);
      return code === 0;
    });
    await run("rollout", "status", "deployment/web", "--timeout=60s");
    await untilAnswered("v0");
  });
  after(async () => {
    await fairlead?.end();
    await lab?.close();
  });

  test(`${ROLLOUTS} rollouts at ${PER_SECOND} new connections a second lose none, without a preStop hook`, async (t) => {
    const into = intoNetwork(host, fairlead.data, false);
    const load = await startSteadyLoad(host, into, { ip: ADDRESS, port: 80, perSecond: PER_SECOND });
    t.after(() => load.end());
    await load.more(PER_SECOND);
    for (let count = 1; count <= ROLLOUTS; count += 1) {
      await run("set", "env", "deployment/web", `VERSION=v${count}`);
      await run("rollout", "status", "deployment/web", "--timeout=60s");
      const seen = await load.more(100);
      assert.equal(seen.failed, 0, `rollout ${count}: ${seen.failures.join("; ")}`);
    }
    await until("the last version to answer", () => (load.seen().by[`v${ROLLOUTS}`] ?? 0) > 0);
    const seen = await load.end();
    assert.equal(seen.failed, 0, seen.failures.join("; "));
    assert.ok(seen.rate >= PER_SECOND * 0.98, `the load fell behind: ${seen.rate} calls a second`);
    assert.ok(Object.keys(seen.by).length > ROLLOUTS, "every version answered");
    console.log(`${seen.answered} calls, ${seen.failed} failed, ${seen.rate} a second, the longest ${seen.longest} ms`);
  });

  test("history is kept, and undo goes back to what answered before", async () => {
    assert.match(await run("rollout", "history", "deployment/web"), /REVISION/);
    await run("rollout", "undo", "deployment/web");
    await run("rollout", "status", "deployment/web", "--timeout=60s");
    const version = await run(
      "get",
      "deployment/web",
      "-o",
      "jsonpath={.spec.template.spec.containers[0].env[0].value}",
    );
    assert.equal(version, `v${ROLLOUTS - 1}`);
    await untilAnswered(version);
  });
});
