import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test, type TestContext } from "node:test";
import type { Service } from "../../src/api/generated/types.ts";
import { services } from "../../src/api/resources.ts";
import type { RunResult } from "../../src/host/host.ts";
import { endThread } from "../lab/end-thread.ts";
import { bringUp, type Fairlead } from "../lab/fairlead.ts";
import { isRealRoot } from "../lab/ground.ts";
import { childOf, endAll, intoNetwork, processesOf, withClient } from "../lab/inside.ts";
import { resolversMissing } from "../lab/resolvers/resolvers.ts";
import { until } from "../lab/until.ts";
import { webService } from "./answering.ts";
import { startNaming, type Naming } from "./naming/naming.ts";
import { startSteadyAskers, type SteadyAskers } from "./naming/steady-asker.ts";
import { NS, type ServingOptions } from "./serving.ts";

/** A question that a dying thread has taken in is asked again by the resolver, after 5 seconds at most: a call may take that long, once, and must not fail. */
const PATIENCE = 9_000;
const ZONE = "cluster.local";

const SITES: readonly [name: string, options: ServingOptions][] = [
  ["a host site", {}],
  ["a private site", { flags: ["--private"] }],
  ["a private site without root", { ordinary: true }],
];

/** Names while parts of Fairlead, and all of it, die: as programs in pods see it that ask all the time. */
for (const [name, options] of SITES) {
  // Each "ordinary user" of a lab without root is a user namespace of its own, and cannot enter what another left.
  const notTwice = options.ordinary === true && !isRealRoot() && "needs root, to be the same ordinary user twice";
  describe(`deaths of ${name} under a load of getaddrinfo`, { skip: resolversMissing || notTwice }, () => {
    let naming: Naming;
    let askers: SteadyAskers;
    let fairlead: Fairlead;

    before(async () => {
      naming = await startNaming(options, webService("web"));
      fairlead = naming.fairlead;
      askers = await startSteadyAskers(naming, naming.resolvers!);
    });
    after(async () => {
      await fairlead?.end();
      await naming?.close();
    });
    beforeEach(() => askers.begin());

    const inside = (...words: string[]): Promise<RunResult> => {
      const into = intoNetwork(naming.node, fairlead.data, options.ordinary === true);
      const [command, ...args] = [...into, ...words];
      return naming.node.run(command!, args);
    };
    const dig = async (...args: string[]): Promise<string> =>
      (await inside("dig", "@10.244.0.1", "+tries=3", "+time=5", ...args)).stdout.trim();

    const unfailed = (context: TestContext): void => {
      const seen = Object.entries(askers.seen());
      for (const [library, { answered, failed, longest }] of seen) {
        context.diagnostic(`${library}: ${answered} answered, ${failed} failed, the longest ${longest} ms`);
      }
      for (const [library, { failed, failures, longest }] of seen) {
        assert.deepEqual({ failed, failures }, { failed: 0, failures: [] }, library);
        assert.ok(longest < PATIENCE, `${library}: a call took ${longest} ms`);
      }
    };
    /** A change goes the whole way again. */
    const follows = async (service: string): Promise<void> => {
      const address = await until("the API to take a change", () =>
        withClient(fairlead.data, async (client) => {
          const made = await client.create<Service>(services, webService(service) as Service);
          return made.spec!.clusterIP;
        }),
      );
      const whole = `${service}.${NS}.svc.${ZONE}`;
      await until(`${service} to resolve`, async () => (await dig("+short", whole)) === address);
      assert.equal(await dig("+short", "+tcp", whole), address);
    };

    test("DNS-080: the thread of cluster DNS dies: no call fails, nor finds nothing", async (context) => {
      await endThread(inside, await childOf(fairlead, "site"), "dns");
      await askers.more(100);
      unfailed(context);
      await follows("after-thread");
    });

    test("DNS-080: the API server is frozen: the last known answers stay, positive and negative", async (context) => {
      const server = await childOf(fairlead, "server");
      process.kill(server.pid, "SIGSTOP");
      try {
        await askers.more(200);
        assert.equal(await dig("+short", `kubernetes.default.svc.${ZONE}`), "10.96.0.1");
        assert.match(await dig(`nobody.${NS}.svc.${ZONE}`), /status: NXDOMAIN/);
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
      fairlead = await bringUp(naming.node, { ...options, data: fairlead.data });
      await askers.more(100);
      unfailed(context);
      await follows("after-all");
    });
  });
}
