import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Pod } from "../../src/api/generated/types.ts";
import { answeringPod, webService } from "./answering.ts";
import { clientPod, type Caller } from "./calling/callers.ts";
import { answered, counts, ip6Of, ipOf, NS, startServing, untilAnswered, type Serving } from "./serving.ts";

const WEBS = ["web-1", "web-2", "web-3"];

/** One address, one name, one set of variables before three pods. */
describe("a Service in front of three pods", () => {
  let serving: Serving;
  let webs: Pod[];
  let client: Caller;
  let nodePort: number;

  before(async () => {
    serving = await startServing(
      webService("web"),
      webService("web-headless", { clusterIP: "None" }),
      webService("out", { type: "NodePort", ipFamilyPolicy: "PreferDualStack" }),
      ...WEBS.map((name) => answeringPod(name)),
    );
    await serving.create(clientPod("client", NS));
    webs = await Promise.all(WEBS.map((name) => serving.readyPod(name)));
    client = await serving.inPod("client");
    nodePort = (await serving.service("out")).spec!.ports![0]!.nodePort!;
    await serving.untilRules("the rules of three pods", [...webs.map(ipOf), ...webs.map(ip6Of)]);
  });
  after(() => serving?.close());

  test("600 new connections from a client pod to http://web are spread at random over all three", async (context) => {
    const calls = await client.call("http://web", { times: 600 });
    const share = counts(calls);
    context.diagnostic(JSON.stringify(share));
    assert.deepEqual(Object.keys(share).sort(), WEBS);
    for (const [pod, count] of Object.entries(share)) {
      assert.ok(count >= 150 && count <= 250, `${pod} answered ${count} of 600`);
    }
    const twice = calls.filter(({ pod }, at) => at > 0 && calls[at - 1]!.pod === pod).length;
    context.diagnostic(`the same pod twice running: ${twice}`);
    assert.ok(twice >= 140 && twice <= 260, `the same pod answered twice running ${twice} times`);
    // PRX-052: between pods nobody's address is hidden.
    const own = ipOf(await serving.readyPod("client"));
    assert.deepEqual(new Set(calls.map(({ seen }) => seen!.replace("::ffff:", ""))), new Set([own]));
  });

  test("DNS-145 … DNS-152: a pod started after the Service has its variables", async () => {
    const host = (await serving.service("web")).spec!.clusterIP!;
    const environment = await client.environment();
    const ours = Object.fromEntries(Object.entries(environment).filter(([name]) => /^WEB_(?!HEADLESS)/.test(name)));
    assert.deepEqual(ours, {
      WEB_SERVICE_HOST: host,
      WEB_SERVICE_PORT: "80",
      WEB_SERVICE_PORT_HTTP: "80",
      WEB_PORT: `tcp://${host}:80`,
      WEB_PORT_80_TCP: `tcp://${host}:80`,
      WEB_PORT_80_TCP_PROTO: "tcp",
      WEB_PORT_80_TCP_PORT: "80",
      WEB_PORT_80_TCP_ADDR: host,
    });
    // DNS-158, DNS-160: none for a headless Service, and always those of `kubernetes`.
    assert.equal(environment["WEB_HEADLESS_SERVICE_HOST"], undefined);
    assert.equal(environment["KUBERNETES_SERVICE_HOST"], "10.96.0.1");
  });

  test("the name resolves short, with its namespace, and whole; pods call by each", async () => {
    const { clusterIP } = (await serving.service("web")).spec!;
    for (const name of ["web", `web.${NS}`, `web.${NS}.svc`, `web.${NS}.svc.cluster.local`]) {
      assert.deepEqual(await client.name(name), { answers: [clusterIP] }, name);
      assert.match(answered(await client.call(`http://${name}`)).join(), /^web-[123]$/);
    }
    const elsewhere = await client.name("web.default.svc.cluster.local", "A");
    assert.deepEqual(elsewhere, { answers: [], error: "ENOTFOUND" });
  });

  test("a dual-stack Service has an address of each family, and pods are called at both", async () => {
    const { clusterIPs } = (await serving.service("out")).spec!;
    assert.deepEqual(await client.name(`out.${NS}.svc.cluster.local`, "A"), { answers: [clusterIPs![0]] });
    assert.deepEqual(await client.name(`out.${NS}.svc.cluster.local`, "AAAA"), { answers: [clusterIPs![1]] });
    assert.deepEqual(answered(await client.call(`http://[${clusterIPs![1]}]`, { times: 40 })), WEBS);
  });

  test("the headless name gives the three pods' addresses", async () => {
    assert.deepEqual((await client.name("web-headless")).answers, webs.map(ipOf).sort());
  });

  test("SRV names port and target, of the Service and of each headless pod", async () => {
    const whole = `web.${NS}.svc.cluster.local`;
    assert.deepEqual(await client.name(`_http._tcp.${whole}`, "SRV"), { answers: [`0 80 ${whole}`] });
    const { answers } = await client.name(`_http._tcp.web-headless.${NS}.svc.cluster.local`, "SRV");
    assert.equal(answers.length, 3);
    const addresses = await Promise.all(
      answers.map(async (answer) => {
        const [, port, target] = /^0 (\d+) (.+)$/.exec(answer)!;
        assert.equal(port, "8080");
        return (await client.name(target!, "A")).answers;
      }),
    );
    assert.deepEqual(addresses.flat().sort(), webs.map(ipOf).sort());
  });

  test("PTR of a clusterIP is the Service's name, in both families", async () => {
    const web = (await serving.service("web")).spec!.clusterIP!;
    assert.deepEqual(await client.name(web, "PTR"), { answers: [`web.${NS}.svc.cluster.local`] });
    const { clusterIPs } = (await serving.service("out")).spec!;
    for (const ip of clusterIPs!) {
      assert.deepEqual(await client.name(ip, "PTR"), { answers: [`out.${NS}.svc.cluster.local`] }, ip);
    }
  });

  test("node-address:nodePort answers another host, by IPv4 and IPv6, from all three pods", async () => {
    for (const host of [serving.node.address, `[${serving.node.address6}]`]) {
      assert.deepEqual(answered(await serving.onOutside.call(`http://${host}:${nodePort}`, { times: 40 })), WEBS, host);
      assert.deepEqual(answered(await serving.onNode.call(`http://${host}:${nodePort}`, { times: 40 })), WEBS, host);
      assert.deepEqual(answered(await client.call(`http://${host}:${nodePort}`, { times: 40 })), WEBS, host);
    }
  });

  test("the node itself calls a clusterIP", async () => {
    const { clusterIP } = (await serving.service("web")).spec!;
    assert.deepEqual(answered(await serving.onNode.call(`http://${clusterIP}`, { times: 40 })), WEBS);
  });

  test("PRX-072: an address of the range that no Service has is silent, from pod and node", async () => {
    const options = { patience: 300 };
    for (const host of ["10.96.250.250", "[fd00:10:96::fafa]"]) {
      for (const caller of [client, serving.onNode]) {
        assert.deepEqual(answered(await caller.call(`http://${host}`, options)), ["SILENT"], host);
      }
    }
  });

  test("PRX-071: a port that a clusterIP does not have is refused at once, many times in a row", async () => {
    const { clusterIPs } = (await serving.service("out")).spec!;
    for (const url of [`http://${clusterIPs![0]}:81`, `http://[${clusterIPs![1]}]:81`]) {
      for (const caller of [client, serving.onNode]) {
        const calls = await caller.call(url, { times: 20 });
        assert.deepEqual(answered(calls), ["ECONNREFUSED"], url);
        assert.ok(Math.max(...calls.map(({ milliseconds }) => milliseconds)) < 900, "refused at once");
      }
    }
  });

  test("a pod reaches itself through its own Service, by clusterIP and by node port, in both families", async () => {
    await serving.create(
      clientPod("narcissus", NS),
      webService("pond", {
        selector: { app: "narcissus" },
        type: "NodePort",
        ipFamilyPolicy: "PreferDualStack",
        ports: [{ port: 80, targetPort: 8080 }],
      }),
    );
    const itself = await serving.inPod("narcissus");
    const { clusterIPs, ports } = (await serving.service("pond")).spec!;
    for (const host of [
      clusterIPs![0]!,
      `[${clusterIPs![1]}]`,
      `${serving.node.address}:${ports![0]!.nodePort}`,
      `[${serving.node.address6}]:${ports![0]!.nodePort}`,
    ]) {
      await untilAnswered(itself, `http://${host}`, ["narcissus"], 5);
    }
  });

  test("a packet mark and an ip rule of somebody else's carry Service traffic where they say", async () => {
    // An endpoint that only the foreign rule's route leads to: the main table says it cannot be reached.
    const far = "10.99.0.1";
    const mark = "0x77";
    await serving.outside.check("ip", ["-batch", "-"], {
      input: [`addr add ${far}/32 dev lo`, `route add 10.244.0.0/16 via ${serving.node.address}`].join("\n"),
    });
    const answering = await serving.outside.open(process.execPath, ["-e", FAR_ANSWER]);
    try {
      await serving.node.check("ip", ["-batch", "-"], {
        input: [
          `route add unreachable ${far}/32`,
          `route add ${far}/32 via ${serving.outside.address} table 777`,
          `rule add fwmark ${mark} lookup 777`,
        ].join("\n"),
      });
      await serving.create(
        webService("far", { type: "NodePort", selector: undefined, ports: [{ port: 80, targetPort: 9000 }] }),
        {
          apiVersion: "discovery.k8s.io/v1",
          kind: "EndpointSlice",
          metadata: { name: "far-1", namespace: NS, labels: { "kubernetes.io/service-name": "far" } },
          addressType: "IPv4",
          ports: [{ name: "", port: 9000, protocol: "TCP" }],
          endpoints: [{ addresses: [far], conditions: { ready: true } }],
        },
      );
      const { clusterIP, ports } = (await serving.service("far")).spec!;
      await serving.untilRules("the far endpoint", [far]);
      const nodePort = ports![0]!.nodePort!;
      const ways = [
        ["a pod", client, `http://${clusterIP}`],
        ["the node", serving.onNode, `http://${clusterIP}`],
        // Both addresses are the outside host's own, so the node must hide the caller's: "masquerade" and mark together.
        ["outside", serving.onOutside, `http://${serving.node.address}:${nodePort}`],
      ] as const;
      for (const [who, caller, url] of ways) {
        const [unmarked] = await caller.call(url, { patience: 1000 });
        assert.notEqual(unmarked!.error, undefined, `${who} reaches it without the mark`);
      }
      await serving.node.check("nft", ["-f", "-"], { input: foreignTable(mark) });
      for (const [who, caller, url] of ways) {
        assert.deepEqual(counts(await caller.call(url, { times: 10, patience: 1000 })), { far: 10 }, who);
      }
      const counted = (await serving.node.check("nft", ["list", "counters", "table", "ip", "foreign"])).stdout;
      // What left with another mark, packet's or connection's, than the foreign table gave it.
      assert.match(counted, /counter changed \{\s*packets 0 /);
      assert.match(counted, /counter kept \{\s*packets [1-9]/);
    } finally {
      answering.kill("SIGKILL");
      await serving.node.run("nft", ["delete", "table", "ip", "foreign"]);
    }
  });
});

const FAR_ANSWER = `
  require("node:http").createServer((request, response) => {
    response.setHeader("connection", "close");
    response.end(JSON.stringify({ pod: "far", seen: request.socket.remoteAddress }));
  }).listen(9000, "10.99.0.1");
`;

/** Marks what comes in or starts here, packet and connection, and counts what leaves for the far endpoint. */
const foreignTable = (mark: string): string => `
  table ip foreign {
    counter changed { }
    counter kept { }
    chain incoming {
      type filter hook prerouting priority -150; policy accept;
      ct state new ct mark set ${mark}
      meta mark set ${mark}
    }
    chain local {
      type route hook output priority -150; policy accept;
      ct state new ct mark set ${mark}
      meta mark set ${mark}
    }
    chain leaving {
      type filter hook postrouting priority 300; policy accept;
      ip daddr 10.99.0.1 meta mark ${mark} ct mark ${mark} counter name kept accept
      ip daddr 10.99.0.1 counter name changed
    }
  }
`;
