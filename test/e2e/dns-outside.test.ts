import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Service } from "../../src/api/generated/types.ts";
import { services } from "../../src/api/resources.ts";
import { until } from "../lab/until.ts";
import { webService } from "./answering.ts";
import { clientPod } from "./calling/callers.ts";
import type { Asker } from "./naming/asker.ts";
import { startNaming, type Naming } from "./naming/naming.ts";
import { ip6Of, ipOf, NS } from "./serving.ts";

const ZONE = "cluster.local";
const OUTSIDE = ["192.0.2.10", "2001:db8::10"];
const ONCE = { A: 1, AAAA: 1 };
const PYTHON = "import socket, sys; socket.getaddrinfo(sys.argv[1], None)";

/** Names outside the cluster: what a pod gets, and what it costs the resolver there. */
describe("a name outside the cluster, asked from a pod", () => {
  let naming: Naming;
  let asker: Asker;
  let count = 0;
  /** One that nobody has asked for. */
  const fresh = (start = "www"): string => `${start}-${(count += 1)}.outside.test`;

  before(async () => {
    naming = await startNaming(
      { flags: ["--allow-host-access"] },
      webService("web"),
      clientPod("client", NS),
      clientPod("other", NS, {
        dnsPolicy: "None",
        dnsConfig: { nameservers: ["10.96.0.10"], searches: [`svc.${ZONE}`, `${NS}.svc.${ZONE}`, ZONE] },
      }),
      clientPod("on-host", NS, { hostNetwork: true, dnsPolicy: "ClusterFirstWithHostNet" }),
    );
    asker = await naming.askerIn("client");
  });
  after(() => naming?.close());

  /** How a program of each kind asks. */
  const ways = (): [way: string, ask: (name: string) => Promise<unknown>][] => {
    const run = (command: string, ...args: string[]) => asker.caller.run(command, ...args);
    return [
      ["getent", (name) => run("getent", "ahosts", name)],
      ["node", (name) => asker.caller.name(name)],
      ["python3", (name) => run("/usr/bin/python3", "-c", PYTHON, name)],
      ...Object.entries(naming.resolvers ?? {}).map(
        ([library, program]): [string, (name: string) => Promise<unknown>] => [
          library,
          (name) => run(program, "addresses", name),
        ],
      ),
    ];
  };

  test("DNS-081: every resolver finds it", async () => {
    assert.deepEqual(await asker.addresses("www.outside.test"), OUTSIDE);
    assert.deepEqual(await asker.addresses("alias.outside.test"), OUTSIDE);
    assert.deepEqual(await asker.addresses("four.outside.test"), [OUTSIDE[0]]);
    assert.deepEqual(await asker.addresses("nobody.outside.test"), []);
    assert.deepEqual(await asker.addresses("www.outside.test."), OUTSIDE);
  });

  test("DNS-081, DNS-120: with ndots:5 and the usual search list one getaddrinfo is one question upstream for each type", async () => {
    for (const [way, ask] of ways()) {
      for (const start of ["www", "four", "alias", "nobody"]) {
        const name = fresh(start);
        await ask(name);
        assert.deepEqual(naming.upstream.counts(name), ONCE, `${start}, asked by ${way}`);
      }
    }
    const below = naming.upstream.asked.filter(({ name }) => name.endsWith(`.${ZONE}`));
    assert.deepEqual(below, [], "no name of the search list leaves");
  });

  test("DNS-081, DNS-120: the first question is answered whole: the pod asks no second one", async () => {
    const name = fresh();
    const text = await asker.output("dig", "+noall", "+answer", `${name}.${NS}.svc.${ZONE}`, "A");
    const lines = text
      .trim()
      .split("\n")
      .map((line) => line.split(/\s+/));
    assert.deepEqual(
      lines.map(([owner, , , type, data]) => [owner, type, data]),
      [
        [`${name}.${NS}.svc.${ZONE}.`, "CNAME", `${name}.`],
        [`${name}.`, "A", OUTSIDE[0]],
      ],
    );
    assert.match(await asker.verdict(`${fresh("nobody")}.${NS}.svc.${ZONE}`, "A"), /^NXDOMAIN /);
    // The other two domains of the list are never an alias of anything.
    for (const domain of [`svc.${ZONE}`, ZONE]) {
      assert.equal(await asker.verdict(`${name}.${domain}`, "A"), "NXDOMAIN 0 1 1", domain);
    }
  });

  test("DNS-120: one getaddrinfo is one packet for each type, to each server that the library asks at once", async () => {
    const pod = await naming.readyPod("client");
    await naming.node.check("nft", ["-f", "-"], { input: counting(ipOf(pod), ip6Of(pod)) });
    const sent = async (): Promise<number> => {
      const { stdout } = await naming.node.check("nft", ["list", "counters", "table", "inet", "counting"]);
      return [...stdout.matchAll(/packets (\d+)/g)].reduce((sum, [, packets]) => sum + Number(packets), 0);
    };
    try {
      for (const [way, ask] of ways()) {
        const before = await sent();
        await ask(fresh());
        // musl asks both of the pod's servers at the same time.
        assert.equal((await sent()) - before, way === "musl" ? 4 : 2, way);
      }
    } finally {
      await naming.node.run("nft", ["delete", "table", "inet", "counting"]);
    }
  });

  test("DNS-070, DNS-079, DNS-105: all others get the plain NXDOMAIN: the host, a pod in its network, another search list, another namespace's domain", async () => {
    const below = `${fresh()}.${NS}.svc.${ZONE}`;
    const onNode = await naming.node.check("dig", ["@10.244.0.1", below, "A"]);
    assert.match(onNode.stdout, /status: NXDOMAIN/);
    for (const pod of ["other", "on-host"]) {
      const another = await naming.askerIn(pod);
      // DNS-105: on the host's network with the cluster's resolver.
      assert.match(await another.output("cat", "/etc/resolv.conf"), /^nameserver 10\.96\.0\.10$/m, pod);
      assert.equal(await another.verdict("@10.96.0.10", below, "A"), "NXDOMAIN 0 1 1", pod);
      assert.deepEqual(await another.addresses("www.outside.test"), OUTSIDE, pod);
    }
    assert.equal(await asker.verdict(`${fresh()}.default.svc.${ZONE}`, "A"), "NXDOMAIN 0 1 1");
  });

  test("DNS-027, DNS-082: a Service that comes under the searched name wins at once, and leaves it again", async () => {
    assert.deepEqual(await asker.addresses("late.corner"), OUTSIDE);
    await naming.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: "corner" } });
    assert.deepEqual(await asker.addresses("late.corner"), OUTSIDE);
    const made = webService("late") as { metadata: object };
    await naming.create({ ...made, metadata: { name: "late", namespace: "corner" } });
    const at = { namespace: "corner", name: "late" };
    const { clusterIP } = (await naming.client.get<Service>(services, at)).spec!;
    await until("the Service to win", async () => (await asker.addresses("late.corner")).join() === clusterIP);
    await naming.client.delete(services, at);
    await until("the name outside again", async () => (await asker.addresses("late.corner")).join() === OUTSIDE.join());
  });

  test("DNS-070, DNS-120: of a single label nothing leaves but the bare name, which a resolver asks for last", async () => {
    const before = naming.upstream.asked.length;
    for (const [, ask] of ways()) await ask("intranet");
    for (const domain of [`${NS}.svc.${ZONE}`, `svc.${ZONE}`, ZONE]) {
      assert.equal(await asker.verdict(`intranet.${domain}`, "A"), "NXDOMAIN 0 1 1", domain);
    }
    const names = new Set(naming.upstream.asked.slice(before).map(({ name }) => name));
    assert.deepEqual([...names], ["intranet"]);
  });

  test("DNS-045: an address that is nobody's in the cluster is asked for outside", async () => {
    await asker.caller.run("getent", "hosts", "192.0.2.10");
    assert.deepEqual(naming.upstream.counts("10.2.0.192.in-addr.arpa"), { PTR: 1 });
  });
});

/** Counts what a pod sends to port 53. */
const counting = (four: string, six: string): string => `
  table inet counting {
    counter four { }
    counter six { }
    chain incoming {
      type filter hook prerouting priority -300; policy accept;
      ip saddr ${four} udp dport 53 counter name four
      ip6 saddr ${six} udp dport 53 counter name six
    }
  }
`;
