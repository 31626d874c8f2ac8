import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { pods } from "../../src/api/resources.ts";
import { until } from "../lab/until.ts";
import { answeringPod, webService } from "./answering.ts";
import type { Called } from "./calling/orders.ts";
import { answered, ip6Of, ipOf, NS, startServing, type Serving } from "./serving.ts";

const WEBS = ["web-1", "web-2", "web-3"];
const CLIENTS = Array.from({ length: 30 }, (_, at) => `10.77.0.${101 + at}`);
const CLIENTS6 = CLIENTS.map((_, at) => `fd77::1:${at}`);
const TWO_PORTS = [
  { name: "http", port: 80, targetPort: "http" },
  { name: "other", port: 81, targetPort: "other" },
];

/** The pods that answered each client, in order. */
function byClient(calls: readonly Called[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { from, pod, error } of calls) found.set(from!, [...(found.get(from!) ?? []), pod ?? error!]);
  return found;
}

/** The one pod of each client. Throws where a client was answered by more than one. */
function homes(calls: readonly Called[]): Map<string, string> {
  return new Map(
    [...byClient(calls)].map(([client, all]) => {
      assert.equal(new Set(all).size, 1, `${client} was answered by ${all.join(" ")}`);
      return [client, all[0]!];
    }),
  );
}

/** sessionAffinity: ClientIP, from thirty addresses of another host. */
describe("sessionAffinity: ClientIP", () => {
  let serving: Serving;
  const call = async (service: string, port: number, from: readonly string[], times: number): Promise<Called[]> => {
    const { nodePort } = (await serving.service(service)).spec!.ports!.find((one) => one.port === port)!;
    const host = from[0]!.includes(":") ? `[${serving.node.address6}]` : serving.node.address;
    return serving.onOutside.call(`http://${host}:${nodePort}`, { from, times });
  };

  before(async () => {
    serving = await startServing(
      webService("web", {
        type: "NodePort",
        ipFamilyPolicy: "RequireDualStack",
        sessionAffinity: "ClientIP",
        ports: TWO_PORTS,
      }),
      webService("brief", {
        type: "NodePort",
        sessionAffinity: "ClientIP",
        sessionAffinityConfig: { clientIP: { timeoutSeconds: 2 } },
      }),
      ...WEBS.map((name) => answeringPod(name)),
    );
    await serving.outside.check("ip", ["-batch", "-"], {
      input: [
        ...CLIENTS.map((address) => `addr add ${address}/32 dev eth0`),
        ...CLIENTS6.map((address) => `addr add ${address}/128 dev eth0 nodad`),
      ].join("\n"),
    });
    const webs = await Promise.all(WEBS.map((name) => serving.readyPod(name)));
    await until("the rules of three pods", async () => {
      const [rules, rules6] = await Promise.all([serving.rules("ip"), serving.rules("ip6")]);
      // Two ports of `web` in each family, and in IPv4 the one of `brief`.
      const times = (text: string, target: string): number => text.split(target).length - 1;
      return webs.every(
        (web) =>
          times(rules, ` ${ipOf(web)} . 8080`) === 2 &&
          times(rules, ` ${ipOf(web)} . 8081`) === 1 &&
          times(rules6, ` ${ip6Of(web)} . 8080`) === 1 &&
          times(rules6, ` ${ip6Of(web)} . 8081`) === 1,
      );
    });
  });
  after(() => serving?.close());

  for (const [family, clients] of [
    ["IPv4", CLIENTS],
    ["IPv6", CLIENTS6],
  ] as const) {
    test(`${family}: each of 30 clients stays with one pod for 20 calls, and all three are used`, async (context) => {
      const home = homes(await call("web", 80, clients, 20));
      assert.equal(home.size, 30);
      assert.deepEqual([...new Set(home.values())].sort(), WEBS);
      context.diagnostic(WEBS.map((pod) => [...home.values()].filter((one) => one === pod).length).join(" + "));
    });
  }

  test("two ports of one Service remember apart", async () => {
    const [one, other] = [homes(await call("web", 80, CLIENTS, 5)), homes(await call("web", 81, CLIENTS, 5))];
    assert.deepEqual([...new Set(other.values())].sort(), WEBS);
    // 30 clients agree by chance once in 3^30.
    assert.ok(
      CLIENTS.some((client) => one.get(client) !== other.get(client)),
      "every client has the same pod at both ports",
    );
    // And what the second port remembered has changed nothing at the first.
    assert.deepEqual(homes(await call("web", 80, CLIENTS, 2)), one);
  });

  test("deleting a pod moves its clients alone, and they stay where they came to", async () => {
    const was = homes(await call("web", 80, CLIENTS, 2));
    const gone = ipOf(await serving.readyPod("web-2"));
    await serving.client.delete(pods, { namespace: NS, name: "web-2" });
    await serving.untilRules("the deleted pod to be out of the rules", [], [gone]);
    const now = homes(await call("web", 80, CLIENTS, 20));
    assert.deepEqual([...new Set(now.values())].sort(), ["web-1", "web-3"]);
    for (const client of CLIENTS) {
      if (was.get(client) !== "web-2") assert.equal(now.get(client), was.get(client), `${client} has moved`);
    }
    // PRX-099: one that comes in has no clients of old.
    await serving.create(answeringPod("web-2"));
    const fresh = ipOf(await serving.readyPod("web-2"));
    await serving.untilRules("the new pod to be in the rules", [fresh]);
    assert.deepEqual(homes(await call("web", 80, CLIENTS, 5)), now);
  });

  test("timeoutSeconds: 2: an idle client is gone from the kernel, and a connection before that renews it", async () => {
    const client = CLIENTS[0]!;
    /** Milliseconds that the kernel will remember the client at this Service; undefined when it does not. */
    const left = async (): Promise<number | undefined> => {
      const { stdout } = await serving.node.check("nft", ["list", "map", "ip", "fairlead", "aff"]);
      const entry = stdout.split(",").find((text) => text.includes(`${client} .`) && text.includes("timeout 2s"));
      const time = entry === undefined ? undefined : /expires (?:(\d+)s)?(?:(\d+)ms)?/.exec(entry);
      return time === undefined || time === null ? undefined : Number(time[1] ?? 0) * 1000 + Number(time[2] ?? 0);
    };
    assert.equal(await left(), undefined);
    let began = performance.now();
    let home: string | undefined;
    let renewals = 0;
    // Past its first time by far, by connections alone.
    while (home === undefined || performance.now() - began < 3500) {
      const remaining = await until("little time to be left", async () => {
        const time = (await left()) ?? 0;
        return time < 1000 && { time, at: performance.now() };
      });
      const [{ pod } = {}] = await call("brief", 80, [client], 1);
      assert.match(pod ?? "", /^web-/);
      if (performance.now() - remaining.at < remaining.time) {
        assert.equal(pod, home);
        assert.ok((await left())! > 0);
        renewals += 1;
      } else {
        // Nothing was remembered when it called, or this machine was too slow to tell: it begins anew.
        began = performance.now();
        home = pod;
        renewals = 0;
      }
    }
    assert.ok(renewals >= 2, `renewed ${renewals} times`);
    const idle = performance.now();
    await until("the kernel to forget the client", async () => (await left()) === undefined);
    assert.ok(performance.now() - idle < 10_000);
  });

  test("a client whose time is over is spread anew", async () => {
    // 2 s after its last call any of the three may answer: 30 clients all come back to theirs once in 3^30.
    const was = homes(await call("brief", 80, CLIENTS, 1));
    await until("the kernel to forget all clients", async () => {
      const { stdout } = await serving.node.check("nft", ["list", "map", "ip", "fairlead", "aff"]);
      return !stdout.includes("timeout 2s");
    });
    assert.notDeepEqual(homes(await call("brief", 80, CLIENTS, 1)), was);
    assert.deepEqual(answered(await call("brief", 80, CLIENTS, 1)), WEBS);
  });
});
