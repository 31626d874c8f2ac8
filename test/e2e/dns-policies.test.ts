import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { webService } from "./answering.ts";
import { clientPod } from "./calling/callers.ts";
import type { Asker } from "./naming/asker.ts";
import { startNaming, type Naming } from "./naming/naming.ts";
import { NS } from "./serving.ts";

const ZONE = "cluster.local";
/** 29 beside the cluster's three. */
const many = Array.from({ length: 29 }, (_, index) => `number${index + 1}.search.example`);

/** What a pod's dnsPolicy and dnsConfig make of its resolver. */
describe("dnsPolicy and dnsConfig, by what a pod's resolver does", () => {
  let naming: Naming;
  let web: string[];

  before(async () => {
    naming = await startNaming(
      {
        flags: ["--allow-host-access"],
        // So that the resolver there can answer a pod that asks it itself.
        prepare: async (node, outside) => {
          await outside.check("ip", ["route", "add", "10.244.0.0/16", "via", node.address]);
        },
      },
      webService("web"),
      clientPod("exact", NS, {
        dnsPolicy: "None",
        dnsConfig: { nameservers: ["1.1.1.1"], searches: ["resolv.conf.local"] },
      }),
      clientPod("own", NS, {
        dnsPolicy: "None",
        dnsConfig: {
          nameservers: ["10.96.0.10"],
          searches: [`svc.${ZONE}`],
          options: [{ name: "ndots", value: "2" }, { name: "edns0" }],
        },
      }),
      clientPod("many", NS, { dnsConfig: { searches: many } }),
      clientPod("odd", NS, {
        dnsConfig: { searches: [".", "under_score.example"], options: [{ name: "ndots", value: "3" }] },
      }),
      clientPod("on-host", NS, { hostNetwork: true }),
      clientPod("plain", NS, { dnsPolicy: "Default" }),
      clientPod("merged", NS, {
        dnsConfig: {
          nameservers: ["10.96.0.10"],
          searches: [ZONE, "more.example"],
          options: [{ name: "ndots", value: "2" }, { name: "edns0" }],
        },
      }),
    );
    web = (await naming.service("web")).spec!.clusterIPs!;
  });
  after(() => naming?.close());

  const fileOf = async (asker: Asker): Promise<string> => asker.output("cat", "/etc/resolv.conf");

  test("DNS-140, DNS-107: policy None is exactly what dnsConfig says", async () => {
    const asker = await naming.askerIn("exact");
    assert.equal(await fileOf(asker), "search resolv.conf.local\nnameserver 1.1.1.1\n");
  });

  test("DNS-107, DNS-119, DNS-120: with ndots:2 and one domain a name of two labels finds its Service, a bare one does not", async () => {
    const asker = await naming.askerIn("own");
    const lines = (await fileOf(asker)).trimEnd().split("\n");
    assert.deepEqual(lines.slice(0, 2).sort(), ["nameserver 10.96.0.10", `search svc.${ZONE}`]);
    assert.deepEqual(lines[2]!.split(" ").sort(), ["edns0", "ndots:2", "options"]);
    assert.deepEqual(await asker.addresses(`web.${NS}`), web);
    assert.deepEqual(await asker.addresses(`web.${NS}.svc.${ZONE}`), web);
    assert.deepEqual(await asker.addresses("web"), []);
  });

  test("DNS-141, DNS-116, DNS-117: with 32 domains of more than 256 characters the resolvers find what is in the cluster", async (context) => {
    const asker = await naming.askerIn("many");
    const search = (await fileOf(asker)).split("\n").find((line) => line.startsWith("search "))!;
    assert.deepEqual(search.split(" ").slice(1), [`${NS}.svc.${ZONE}`, `svc.${ZONE}`, ZONE, ...many]);
    assert.ok(search.length > 256);
    assert.deepEqual(await asker.dig("+search", "web", "A"), web);
    assert.deepEqual(await asker.dig("+search", "kubernetes.default", "A"), ["10.96.0.1"]);
    // musl before 1.2.4 passes over a line of more than 255 characters, so a program with it knows no search list at all.
    const { musl, ...others } = await asker.each("web");
    context.diagnostic(`musl: ${JSON.stringify(musl)}`);
    for (const [resolver, found] of Object.entries(others)) assert.deepEqual(found, web, resolver);
    assert.ok(musl === undefined || musl.length === 0 || musl.join() === web.join(), `musl: ${musl?.join()}`);
    assert.deepEqual(await asker.addresses(`web.${NS}.svc.${ZONE}`), web);
  });

  test("DNS-142, DNS-117: a domain with an underscore and a lone dot are in the file, and do no harm", async () => {
    const asker = await naming.askerIn("odd");
    const search = (await fileOf(asker)).split("\n").find((line) => line.startsWith("search "))!;
    assert.deepEqual(search.split(" ").slice(1), [
      `${NS}.svc.${ZONE}`,
      `svc.${ZONE}`,
      ZONE,
      ".",
      "under_score.example",
    ]);
    for (const name of ["web", `web.${NS}`, `web.${NS}.svc`]) assert.deepEqual(await asker.addresses(name), web, name);
    assert.deepEqual(await asker.dig("+search", "web", "A"), web);
    // Not by musl: it makes `nobody..` of the dot, asks nobody, and waits five seconds for the answer.
    assert.equal(await asker.getentHosts("nobody"), "");
  });

  test("DNS-104, DNS-106: a pod on the host's network, and one with policy Default, ask whom the host asks", async () => {
    for (const pod of ["on-host", "plain"]) {
      const asker = await naming.askerIn(pod);
      assert.equal(await fileOf(asker), `nameserver ${naming.upstream.address}\n`, pod);
      assert.deepEqual(await asker.addresses("www.outside.test"), ["192.0.2.10", "2001:db8::10"], pod);
      assert.deepEqual(await asker.addresses(`web.${NS}.svc.${ZONE}`), [], pod);
    }
  });

  test("DNS-108, DNS-109, DNS-120: dnsConfig adds to the policy, what is there already is not repeated, and its options win", async () => {
    const asker = await naming.askerIn("merged");
    const lines = (await fileOf(asker)).trimEnd().split("\n");
    assert.deepEqual(lines.slice(0, -1), [
      `search ${NS}.svc.${ZONE} svc.${ZONE} ${ZONE} more.example`,
      "nameserver 10.96.0.10",
      "nameserver fd00:10:96::a",
    ]);
    assert.deepEqual(lines.at(-1)!.split(" ").sort(), ["edns0", "ndots:2", "options"]);
    for (const name of ["web", `web.${NS}`]) assert.deepEqual(await asker.addresses(name), web, name);
    // Two dots are enough now for a name to be asked for as it is, first.
    const name = "as-it-is.outside.test";
    assert.deepEqual(await asker.addresses(name), ["192.0.2.10", "2001:db8::10"]);
    const { getent } = await asker.each(`web.${NS}.svc`);
    assert.deepEqual(getent, web, "and with the search list, after");
  });
});
