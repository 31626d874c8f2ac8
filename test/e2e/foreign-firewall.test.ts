import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Event, Pod, Service } from "../../src/api/generated/types.ts";
import { events, namespaces, pods, services } from "../../src/api/resources.ts";
import type { KubeObject } from "../../src/api/object.ts";
import type { Client } from "../../src/client/client.ts";
import { clientOfDirectory } from "../../src/cli/connection.ts";
import { layoutOf } from "../../src/cli/data/layout.ts";
import { bringUp, FAIRLEAD, type Fairlead } from "../lab/fairlead.ts";
import { endAll, processesOf } from "../lab/inside.ts";
import { createLab, type Lab, type LabHost } from "../lab/lab.ts";
import { until } from "../lab/until.ts";
import { answeringPod, webService } from "./answering.ts";
import { callerOn, clientPod } from "./calling/callers.ts";
import { answered, ipOf, NS } from "./serving.ts";

/** A firewall as a machine has it that lets nothing new through, and in by its wire only. */
const FOREIGN = `
table inet foreign {
  chain incoming {
    type filter hook input priority filter; policy drop;
    ct state established,related accept
    iifname { "lo", "eth0" } accept
  }
  chain passing {
    type filter hook forward priority filter; policy drop;
    ct state established,related accept
  }
}
`;
const CHAINS = { input: "incoming", forward: "passing" } as const;

let lab: Lab;
let node: LabHost;
before(async () => {
  lab = await createLab();
  node = await lab.add("node");
});
after(() => lab?.close());

/** What of pods' networks the host has: links and namespaces. */
const networks = async (): Promise<string[]> => {
  const [links, spaces] = await Promise.all([node.check("ip", ["-br", "link"]), node.check("ip", ["netns", "list"])]);
  return [
    ...(links.stdout.match(/^fl[0-9a-f]{8}\b/gm) ?? []),
    ...spaces.stdout.split("\n").filter((line) => line.startsWith("fl-")),
  ];
};

/** As Docker sets it. */
const forwardPolicy = async (policy: "DROP" | "ACCEPT"): Promise<void> => {
  for (const tool of ["iptables", "ip6tables"]) await node.check(tool, ["-P", "FORWARD", policy]);
};

/** What is remembered of pods. */
const records = (data: string): string[] => readdirSync(join(layoutOf(data).node, "state"));

const status = async (data: string): Promise<{ text: string; dropped: readonly string[] }> => {
  const [text, json] = await Promise.all([
    node.check(FAIRLEAD, ["status", "--data", data]),
    node.check(FAIRLEAD, ["status", "--data", data, "-o", "json"]),
  ]);
  return { text: text.stdout, dropped: (JSON.parse(json.stdout) as { trafficDropped: string[] }).trafficDropped };
};

const eventsOf = async (client: Client, reason: string): Promise<Event[]> =>
  (await client.list<Event>(events)).items.filter((event) => event.reason === reason);

const nodeLog = (data: string): string => readFileSync(join(layoutOf(data).logs, "node.log"), "utf8");

test("without a foreign firewall nothing is said, and nothing is left", async (context) => {
  const fairlead = await bringUp(node, { flags: ["--log-level", "debug"] });
  const client = await clientOfDirectory(layoutOf(fairlead.data), "test");
  try {
    const [, milliseconds = ""] = await until(
      "the traffic to be tried",
      () => /"milliseconds":(\d+),"message":"what pods send passes"/.exec(nodeLog(fairlead.data)) ?? false,
    );
    context.diagnostic(`trying took ${milliseconds} ms`);
    assert.deepEqual(await networks(), []);
    assert.deepEqual(records(fairlead.data), []);
    assert.deepEqual(await eventsOf(client, "TrafficDropped"), []);
    assert.doesNotMatch(nodeLog(fairlead.data), /not Fairlead's|firewall/);
    const { text, dropped } = await status(fairlead.data);
    assert.deepEqual(dropped, []);
    assert.doesNotMatch(text, /^dropped/m);
  } finally {
    client.close();
    await fairlead.end();
  }
});

describe("a foreign firewall that drops", () => {
  let fairlead: Fairlead;
  let client: Client;
  before(async () => {
    await node.check("nft", ["-f", "-"], { input: FOREIGN });
    await forwardPolicy("DROP");
  });
  after(async () => {
    client?.close();
    await fairlead?.end();
    await forwardPolicy("ACCEPT");
    await node.check("nft", ["delete", "table", "inet", "foreign"]);
  });

  test("who is told to stop meanwhile stops at once, and leaves nothing of the try", async () => {
    fairlead = await bringUp(node);
    await until("the networks of the try", async () => (await networks()).length === 4);
    assert.equal(await fairlead.end("SIGTERM"), 0);
    assert.deepEqual(await networks(), []);
    assert.deepEqual(records(fairlead.data), []);
    assert.doesNotMatch(nodeLog(fairlead.data), /not Fairlead's/);
  });

  test("what a death leaves of the try, the next start takes away", async () => {
    fairlead = await bringUp(node, { data: fairlead.data });
    const left = await until("the networks of the try", async () => {
      const there = await networks();
      return there.length === 4 && there;
    });
    await endAll(await processesOf(fairlead), "SIGKILL");
    assert.deepEqual(await networks(), left);
    fairlead = await bringUp(node, { data: fairlead.data });
    await until("them to be gone", async () => {
      const there = await networks();
      return !left.some((name) => there.includes(name));
    });
    await fairlead.end("SIGTERM");
    assert.deepEqual(await networks(), []);
    assert.deepEqual(records(fairlead.data), []);
  });

  test("it is said by events on the Node, in the log and in the status, and the remedy that is given helps", async () => {
    fairlead = await bringUp(node, { data: fairlead.data });
    client = await clientOfDirectory(layoutOf(fairlead.data), "test");
    const told = await until("an event for each hook", async () => {
      const found = await eventsOf(client, "TrafficDropped");
      return found.length === 2 && found;
    });
    for (const { type, involvedObject } of told) {
      assert.equal(type, "Warning");
      assert.equal(involvedObject.kind, "Node");
    }
    const said = told.map(({ message }) => message!).sort((one, other) => one.length - other.length);
    const [input, forward] = said as [string, string];
    assert.match(input, /to the Service default\/kubernetes \(TCP 10\.96\.0\.1:443\) was not answered within 5 s/);
    for (const range of [/from a pod \(10\.244\.\S+\) to another pod/, /from a pod \(fd00:10:244:\S+\) to another pod/])
      assert.match(forward, range);
    const { text, dropped } = await until("the status to say it", async () => {
      const now = await status(fairlead.data);
      return now.dropped.length === 2 && now;
    });
    assert.deepEqual([...dropped].sort(), [...said].sort());
    for (const sentence of said) {
      assert.ok(text.includes(`dropped     ${sentence}\n`), text);
      assert.ok(nodeLog(fairlead.data).includes(JSON.stringify(sentence)));
    }

    await client.create(namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name: NS } });
    await client.create(services, webService("web") as KubeObject);
    for (const pod of [answeringPod("web-1"), clientPod("client", NS)]) await client.create(pods, pod as KubeObject);
    const ready = (name: string): Promise<Pod> =>
      until(`pod ${name} to be ready`, async () => {
        const pod = await client.get<Pod>(pods, { namespace: NS, name });
        return pod.status?.conditions?.some((one) => one.type === "Ready" && one.status === "True") && pod;
      });
    const [clientReady] = await Promise.all([ready("client"), ready("web-1")]);
    const { clusterIP } = (await client.get<Service>(services, { namespace: NS, name: "web" })).spec!;
    const caller = await callerOn(node);
    try {
      const inPod = caller.inPod(ipOf(clientReady));
      const call = () => inPod.call(`http://${clusterIP}`, { times: 1, patience: 1000 });
      assert.notDeepEqual(answered(await call()), ["web-1"]);

      for (const hook of ["input", "forward"] as const) {
        const sentence = hook === "input" ? input : forward;
        const commands = [...sentence.matchAll(/nft '(insert rule) FAMILY TABLE CHAIN ([^']+)'/g)];
        assert.equal(commands.length, hook === "input" ? 1 : 2, sentence);
        for (const [, verb, rule] of commands)
          await node.check("nft", [`${verb} inet foreign ${CHAINS[hook]} ${rule}`]);
      }
      const shell = forward.match(/ip6?tables -I FORWARD -[io] fl\+ -j ACCEPT/g) ?? [];
      assert.equal(shell.length, 4, forward);
      assert.notDeepEqual(answered(await call()), ["web-1"], "iptables' own rules drop it still");
      await node.check("sh", ["-ec", shell.join("\n")]);
      await until("the Service to answer the pod", async () => answered(await call()).join() === "web-1");
    } finally {
      caller.close();
    }
    await until("an event that it passes", async () => (await eventsOf(client, "TrafficPasses")).length === 1, {
      seconds: 90,
    });
    await until("the status to say nothing", async () => (await status(fairlead.data)).dropped.length === 0);
    assert.equal((await networks()).length, 4, "the two pods' own");
    assert.match((await node.check("nft", ["list", "table", "inet", "foreign"])).stdout, /policy drop/);
  });
});
