import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Event, Node } from "../../src/api/generated/types.ts";
import { events, nodes } from "../../src/api/resources.ts";
import type { ProxyMode } from "../../src/proxy/engine.ts";
import { bringUp, FAIRLEAD, type Fairlead, type UpOptions } from "../lab/fairlead.ts";
import { isRealRoot } from "../lab/ground.ts";
import { intoNetwork, podNamed, withClient } from "../lab/inside.ts";
import { createLab, type Lab, type LabHost } from "../lab/lab.ts";
import { startSteadyLoad } from "../lab/steady-load.ts";
import { until } from "../lab/until.ts";
import { manifest, service, webPod } from "./fixtures.ts";

const ADDRESS = "10.96.100.1";
const PODS = ["web-1", "web-2", "web-3"];
const PER_SECOND = 200;

/** Brings up a private site in a mode, with a Service before three pods that answer. */
async function site(host: LabHost, mode: ProxyMode, ordinary: boolean): Promise<Fairlead> {
  const options: UpOptions = {
    ...(ordinary ? { ordinary } : {}),
    flags: ["--private", "--proxy-mode", mode],
    files: [
      manifest(host, "web.yaml", [
        service("web", { clusterIP: ADDRESS }),
        ...PODS.map((name) => webPod(name, { app: "web" })),
      ]),
    ],
  };
  const fairlead = await bringUp(host, options);
  await until("the pods to be ready", async () =>
    (await Promise.all(PODS.map((name) => podNamed(fairlead.data, name)))).every(({ status }) =>
      status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True"),
    ),
  );
  return fairlead;
}

const inside = async (host: LabHost, into: readonly string[], ...words: string[]): Promise<string> => {
  const [command, ...args] = [...into, ...words];
  return (await host.run(command!, args)).stdout;
};
const untilAnswered = (host: LabHost, into: readonly string[]): Promise<unknown> =>
  until(
    "the Service to answer",
    async () => (await inside(host, into, "curl", "-sf", "--max-time", "2", `http://${ADDRESS}/`)) !== "",
  );
const modeOf = async (host: LabHost, fairlead: Fairlead, user: readonly string[]): Promise<string> => {
  const [command, ...args] = [...user, "env", "HOME=/tmp", FAIRLEAD, "status", "--data", fairlead.data, "-o", "json"];
  return (JSON.parse((await host.check(command, args)).stdout) as { proxyMode: string }).proxyMode;
};
const nodeNameOf = (data: string): Promise<string> =>
  withClient(data, async (client) => (await client.list<Node>(nodes)).items[0]!.metadata.name!);
const wish = (data: string, name: string, mode: string): Promise<unknown> =>
  withClient(data, (client) =>
    client.patch<Node>(nodes, { name }, "merge", { metadata: { annotations: { "fairlead.dev/proxy-mode": mode } } }),
  );

for (const ordinary of [false, true]) {
  const who = ordinary ? "an ordinary user" : "root";
  const skip = ordinary && !isRealRoot() ? "needs root, to be the same ordinary user twice" : false;
  for (const mode of ["nftables", "iptables", "userspace"] as const) {
    test(
      `up --proxy-mode ${mode} as ${who}: the Service answers from each pod, and status names the mode`,
      { skip },
      async () => {
        const lab = await createLab();
        let fairlead: Fairlead | undefined;
        try {
          const host = await lab.add("h1");
          fairlead = await site(host, mode, ordinary);
          const into = intoNetwork(host, fairlead.data, ordinary);
          await untilAnswered(host, into);
          const answers = new Set<string>();
          await until("each pod to answer", async () => {
            answers.add(await inside(host, into, "curl", "-s", "--max-time", "2", `http://${ADDRESS}/`));
            return answers.size >= PODS.length;
          });
          assert.equal(await modeOf(host, fairlead, ordinary ? host.ordinaryUser : []), mode);
          assert.equal(await inside(host, into, "curl", "-s", "http://127.0.0.1:10249/proxyMode"), mode);
        } finally {
          await fairlead?.end();
          await lab.close();
        }
      },
    );
  }
}

describe("the proxy mode of a running node", () => {
  let lab: Lab;
  let host: LabHost;
  let fairlead: Fairlead;
  let into: readonly string[];
  before(async () => {
    lab = await createLab();
    host = await lab.add("h1");
    fairlead = await site(host, "nftables", false);
    into = intoNetwork(host, fairlead.data, false);
    await untilAnswered(host, into);
  });
  after(async () => {
    await fairlead?.end();
    await lab?.close();
  });

  const ours = async (): Promise<string> =>
    (await inside(host, into, "nft", "list", "tables")) + (await inside(host, into, "iptables-save"));
  /** What must be gone when a mode carries no more. */
  const traces: Readonly<Record<string, RegExp>> = { nftables: /^table ip fairlead$/m, iptables: /FAIRLEAD|fairlead:/ };

  test("PRX-170: switched nftables → iptables → userspace → nftables under load, no call fails, and the old mode's rules go", async (t) => {
    const name = await nodeNameOf(fairlead.data);
    const load = await startSteadyLoad(host, into, { ip: ADDRESS, port: 80, perSecond: PER_SECOND });
    t.after(() => load.end());
    await load.more(PER_SECOND);
    let before = "nftables";
    for (const mode of ["iptables", "userspace", "nftables"]) {
      await wish(fairlead.data, name, mode);
      await until(`${mode} to carry`, async () => (await modeOf(host, fairlead, [])) === mode, {
        seconds: 90,
        every: 200,
      });
      const trace = traces[before];
      await until(`what ${before} left to be gone`, async () => trace === undefined || !trace.test(await ours()), {
        seconds: 90,
        every: 200,
      });
      const seen = await load.more(PER_SECOND);
      assert.equal(seen.failed, 0, `${before} → ${mode}: ${seen.failures.join("; ")}`);
      before = mode;
    }
    const seen = await load.end();
    assert.equal(seen.failed, 0, seen.failures.join("; "));
    console.log(`${seen.answered} calls, ${seen.failed} failed, ${seen.rate} a second, the longest ${seen.longest} ms`);
  });

  test("a connection that nftables began goes on when userspace carries", async () => {
    const name = await nodeNameOf(fairlead.data);
    const script = `
      const socket = require("node:net").connect(80, ${JSON.stringify(ADDRESS)});
      let text = "";
      socket.on("data", (chunk) => (text += chunk));
      socket.on("error", (error) => { console.log("failed: " + error.message); process.exit(1); });
      socket.on("connect", () => console.log("connected"));
      process.stdin.once("data", () => {
        socket.write("GET / HTTP/1.1\\r\\nHost: web\\r\\nConnection: close\\r\\n\\r\\n");
        socket.on("close", () => { console.log(text.split("\\r\\n")[0]); process.exit(0); });
      });
      setTimeout(() => process.exit(2), 100000);
    `;
    const [command, ...args] = [...into, process.execPath, "-e", script];
    const caller = await host.open(command, args);
    let said = "";
    caller.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
    await until("the connection", () => said.includes("connected"));
    await wish(fairlead.data, name, "userspace");
    await until("what nftables left to be gone", async () => !traces["nftables"]!.test(await ours()), {
      seconds: 90,
      every: 200,
    });
    caller.stdin.write("go\n");
    await caller.ended;
    assert.match(said, /HTTP\/1.1 200/);
  });

  test("a mode that is none is told on the Node, and the one that is stays", async () => {
    const name = await nodeNameOf(fairlead.data);
    const was = await modeOf(host, fairlead, []);
    await wish(fairlead.data, name, "ebpf");
    await until("the event", () =>
      withClient(fairlead.data, async (client) =>
        (await client.list<Event>(events)).items.some(
          ({ reason, message }) => reason === "ProxyModeNotSwitched" && /"ebpf"/.test(message ?? ""),
        ),
      ),
    );
    assert.equal(await modeOf(host, fairlead, []), was);
  });
});
