import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test, type TestContext } from "node:test";
import type { Service } from "../../src/api/generated/types.ts";
import { services } from "../../src/api/resources.ts";
import { endThread } from "../lab/end-thread.ts";
import { bringUp, type Fairlead } from "../lab/fairlead.ts";
import { childOf, endAll, processesOf, withClient } from "../lab/inside.ts";
import { resolversMissing } from "../lab/resolvers/resolvers.ts";
import { until } from "../lab/until.ts";
import { webService } from "./answering.ts";
import { clientPod } from "./calling/callers.ts";
import type { Asker } from "./naming/asker.ts";
import { startNaming, type Naming } from "./naming/naming.ts";
import { startSteadyAskers, type SteadyAskers } from "./naming/steady-asker.ts";
import { NS } from "./serving.ts";

/** What a stub resolver waits for before it asks again: a call may take so long, and must not fail. */
const PATIENCE = 6000;

/** Names while parts of Fairlead, and all of it, die: as programs see it that ask all the time. */
describe("deaths under a load of getaddrinfo", { skip: resolversMissing }, () => {
  let naming: Naming;
  let askers: SteadyAskers;
  let asker: Asker;
  let fairlead: Fairlead;

  before(async () => {
    naming = await startNaming({}, webService("web"), clientPod("client", NS));
    fairlead = naming.fairlead;
    asker = await naming.askerIn("client");
    askers = await startSteadyAskers(naming, naming.resolvers!);
  });
  after(async () => {
    await fairlead?.end();
    await naming?.close();
  });

  beforeEach(() => askers.begin());

  const say = (context: TestContext): void => {
    for (const [library, seen] of Object.entries(askers.seen())) {
      const { answered, failed, longest, failures } = seen;
      context.diagnostic(
        `${library}: ${answered} answered, ${failed} failed, longest ${longest} ms ${failures.join("; ")}`,
      );
    }
  };
  const unfailed = (context: TestContext): void => {
    say(context);
    for (const [library, { failed, failures, longest }] of Object.entries(askers.seen())) {
      assert.deepEqual({ failed, failures }, { failed: 0, failures: [] }, library);
      assert.ok(longest < PATIENCE, `${library}: a call took ${longest} ms`);
    }
  };
  /** A change goes the whole way again. */
  const follows = async (name: string): Promise<void> => {
    const address = await until("the API to take a change", () =>
      withClient(fairlead.data, async (client) => {
        const made = await client.create<Service>(services, webService(name) as Service);
        return made.spec!.clusterIP;
      }),
    );
    await until(`${name} to resolve`, async () => (await asker.addresses(name)).join() === address);
  };

  test("DNS-080: the thread of cluster DNS dies: no call fails, nor finds nothing", async (context) => {
    await endThread(naming.node, await childOf(fairlead, "site"), "dns");
    await askers.more(100);
    unfailed(context);
    await follows("after-thread");
  });

  test("DNS-080: the API server is frozen: the last known answers stay", async (context) => {
    const server = await childOf(fairlead, "server");
    process.kill(server.pid, "SIGSTOP");
    try {
      await askers.more(500);
      assert.deepEqual(await asker.addresses("kubernetes.default"), ["10.96.0.1"]);
      assert.deepEqual(await asker.addresses("nobody"), []);
      unfailed(context);
    } finally {
      process.kill(server.pid, "SIGCONT");
    }
    await follows("after-frost");
  });

  test("DNS-080: the API server is killed: no call fails", async (context) => {
    await endAll([await childOf(fairlead, "server")], "SIGKILL");
    await askers.more(100);
    unfailed(context);
    await follows("after-server");
  });

  test("DNS-080: the site is killed, and cluster DNS with it: no call fails", async (context) => {
    await endAll([await childOf(fairlead, "site")], "SIGKILL");
    await askers.more(100);
    unfailed(context);
    await follows("after-site");
  });

  test("DNS-080: all of Fairlead is killed and started again: no call fails", async (context) => {
    await endAll(await processesOf(fairlead), "SIGKILL");
    fairlead = await bringUp(naming.node, { data: fairlead.data });
    await askers.more(100);
    unfailed(context);
    await follows("after-all");
  });
});
