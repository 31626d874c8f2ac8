import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Pod } from "../../src/api/generated/types.ts";
import { until } from "../lab/until.ts";
import { answeringPod, webService } from "./answering.ts";
import { clientPod, type Caller } from "./calling/callers.ts";
import type { Called } from "./calling/orders.ts";
import { answered, counts, ip6Of, ipOf, NS, startServing, untilAnswered, type Serving } from "./serving.ts";

const WEBS = ["web-1", "web-2", "web-3"];

/** Which pods get connections, and what a client hears when none does. */
describe("readiness", () => {
  let serving: Serving;
  let client: Caller;
  let webs: Pod[];
  /** Every way to the Service: who calls, and where. */
  let ways: (readonly [who: string, caller: Caller, url: string])[];

  before(async () => {
    serving = await startServing(
      webService("web", { type: "NodePort", ipFamilyPolicy: "RequireDualStack" }),
      webService("headless", { clusterIP: "None" }),
      webService("early", { clusterIP: "None", publishNotReadyAddresses: true }),
      webService("nobody", { type: "NodePort", ipFamilyPolicy: "RequireDualStack", selector: { app: "nobody" } }),
      ...WEBS.map((name) => answeringPod(name)),
    );
    await serving.create(clientPod("client", NS));
    webs = await Promise.all(WEBS.map((name) => serving.readyPod(name)));
    client = await serving.inPod("client");
    ways = await waysTo("web");
    await serving.untilRules("the rules of three pods", [...webs.map(ipOf), ...webs.map(ip6Of)]);
  });
  after(() => serving?.close());

  async function waysTo(name: string): Promise<typeof ways> {
    const { clusterIPs, ports } = (await serving.service(name)).spec!;
    const cluster = [clusterIPs![0]!, `[${clusterIPs![1]}]`];
    const nodePorts = [serving.node.address, `[${serving.node.address6}]`].map((ip) => `${ip}:${ports![0]!.nodePort}`);
    return [
      ...[...cluster, ...nodePorts].map((host) => ["a pod", client, `http://${host}`] as const),
      ...[...cluster, ...nodePorts].map((host) => ["the node", serving.onNode, `http://${host}`] as const),
      ...nodePorts.map((host) => ["outside", serving.onOutside, `http://${host}`] as const),
    ];
  }

  /** Tells pods by their own addresses to fail or pass their probe. They answer all the while. */
  async function tell(what: "fail" | "heal", ...which: Pod[]): Promise<void> {
    for (const pod of which) {
      assert.deepEqual(counts(await serving.onNode.call(`http://${ipOf(pod)}:8080/${what}`)), {
        [pod.metadata.name!]: 1,
      });
    }
  }

  /** Refused every time, and at once. */
  async function refusedBy(name: string): Promise<void> {
    for (const [who, caller, url] of await waysTo(name)) {
      const calls = await caller.call(url, { times: 30, patience: 1000 });
      assert.deepEqual(counts(calls), { ECONNREFUSED: 30 }, `${who} at ${url}`);
      const longest = Math.max(...calls.map(({ milliseconds }) => milliseconds));
      assert.ok(longest < 900, `${who} at ${url} was refused after ${longest} ms`);
    }
  }

  test("a pod that fails its probe gets no new connection, and no call fails meanwhile", async () => {
    const [, failing] = webs;
    await tell("fail", failing!);
    const { clusterIP } = (await serving.service("web")).spec!;
    const meanwhile: Called[] = [];
    await until("the rules without it", async () => {
      meanwhile.push(...(await client.call(`http://${clusterIP}`, { times: 20, patience: 1000 })));
      return !(await serving.rules()).includes(` ${ipOf(failing!)} . 8080`);
    });
    assert.deepEqual(
      meanwhile.filter(({ error }) => error !== undefined),
      [],
    );
    await serving.untilRules("both families' rules without it", [], [ipOf(failing!), ip6Of(failing!)]);
    for (const [who, caller, url] of ways) {
      assert.deepEqual(answered(await caller.call(url, { times: 40 })), ["web-1", "web-3"], `${who} at ${url}`);
    }
    // It lives, and answers who asks it directly.
    assert.deepEqual(answered(await client.call(`http://${ipOf(failing!)}:8080`)), ["web-2"]);
    await until("the headless name without it", async () => {
      const { answers } = await client.name("headless");
      return answers.join() === [ipOf(webs[0]!), ipOf(webs[2]!)].sort().join();
    });
    assert.deepEqual((await client.name("early")).answers, webs.map(ipOf).sort());
  });

  test("PRX-045: a Service whose pods are all unready refuses at once, from pod, node and outside", async () => {
    await tell("fail", ...webs);
    const { clusterIP } = (await serving.service("web")).spec!;
    const meanwhile: Called[] = [];
    await until("the Service to refuse", async () => {
      const calls = await client.call(`http://${clusterIP}`, { times: 20, patience: 1000 });
      meanwhile.push(...calls);
      return answered(calls).join() === "ECONNREFUSED";
    });
    // On the way there every call is answered or refused: none hangs.
    for (const { error = "answered" } of meanwhile) assert.match(error, /^(answered|ECONNREFUSED)$/);
    await serving.untilRules("no pod in the rules", [], [...webs.map(ipOf), ...webs.map(ip6Of)]);
    await refusedBy("web");
    await until(
      "no address for the headless name",
      async () => (await client.name(`headless.${NS}.svc.cluster.local`, "A")).answers.length === 0,
    );
    assert.deepEqual((await client.name("early")).answers, webs.map(ipOf).sort());
  });

  test("PRX-045: so does a Service that selects no pod at all", async () => {
    await refusedBy("nobody");
  });

  test("a pod that is ready again is used again, alone and then with the others", async () => {
    await tell("heal", webs[1]!);
    for (const [, caller, url] of ways) await untilAnswered(caller, url, ["web-2"]);
    await tell("heal", webs[0]!, webs[2]!);
    for (const [, caller, url] of ways) await untilAnswered(caller, url, WEBS);
    // Failing a readiness probe restarts nothing.
    for (const name of WEBS) {
      const { status } = await serving.readyPod(name);
      assert.equal(status!.containerStatuses![0]!.restartCount, 0);
    }
  });
});
