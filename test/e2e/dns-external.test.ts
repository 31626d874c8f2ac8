import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Service } from "../../src/api/generated/types.ts";
import { services } from "../../src/api/resources.ts";
import { until } from "../lab/until.ts";
import { webService } from "./answering.ts";
import { clientPod } from "./calling/callers.ts";
import type { Asker } from "./naming/asker.ts";
import { startNaming, type Naming } from "./naming/naming.ts";
import { NS } from "./serving.ts";

const ZONE = "cluster.local";
const OUTSIDE = ["192.0.2.10", "2001:db8::10"];

const external = (name: string, externalName: string): object => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace: NS },
  spec: { type: "ExternalName", externalName },
});

/** Services that are another name for something, asked from a pod. */
describe("an ExternalName Service, asked from a pod", () => {
  let naming: Naming;
  let asker: Asker;
  let web: string[];

  before(async () => {
    naming = await startNaming(
      {},
      webService("web"),
      external("out", "www.outside.test"),
      external("chain", "alias.outside.test"),
      external("in", `web.${NS}.svc.${ZONE}`),
      external("twice", `in.${NS}.svc.${ZONE}`),
      external("missing", "nobody.outside.test"),
      external("nowhere", `absent.${NS}.svc.${ZONE}`),
      external("self", `self.${NS}.svc.${ZONE}`),
      external("number", "192.0.2.77"),
      clientPod("client", NS),
    );
    web = (await naming.service("web")).spec!.clusterIPs!;
    asker = await naming.askerIn("client");
  });
  after(() => naming?.close());

  const whole = (name: string): string => `${name}.${NS}.svc.${ZONE}`;

  test("DNS-049, DNS-050: to a name outside: CNAME, and the addresses that the upstream resolver knows", async () => {
    assert.deepEqual(await asker.dig(whole("out"), "CNAME"), ["www.outside.test."]);
    assert.deepEqual(await asker.dig(whole("out"), "A"), [OUTSIDE[0], "www.outside.test."]);
    assert.deepEqual(await asker.dig("+tcp", whole("out"), "AAAA"), [OUTSIDE[1], "www.outside.test."]);
    for (const name of ["out", `out.${NS}`, whole("out"), `${whole("out")}.`]) {
      assert.deepEqual(await asker.addresses(name), OUTSIDE, name);
    }
  });

  test("DNS-050: to a name outside that is itself another name", async () => {
    assert.deepEqual(await asker.addresses("chain"), OUTSIDE);
  });

  test("DNS-051: to a name inside: CNAME, and the Service's address; also in two steps", async () => {
    assert.deepEqual(await asker.dig(whole("in"), "A"), [...web, `${whole("web")}.`].sort());
    assert.deepEqual(await asker.addresses("in"), web);
    assert.deepEqual(await asker.addresses("twice"), web);
  });

  test("DNS-052: to a name that is not: no address, and no other name is found below the search list either", async () => {
    assert.deepEqual(await asker.dig(whole("missing"), "A"), ["nobody.outside.test."]);
    assert.deepEqual(await asker.addresses("missing"), []);
    assert.match(await asker.verdict(whole("nowhere"), "A"), /^NOERROR 0 1 /);
    assert.deepEqual(await asker.addresses("nowhere"), []);
  });

  test("DNS-053, DNS-054: to itself and to an address: nothing", async () => {
    for (const name of ["self", "number"]) {
      assert.deepEqual(await asker.dig(whole(name), "A"), [], name);
      assert.deepEqual(await asker.addresses(name), [], name);
    }
  });

  test("DNS-035, DNS-055: it has no SRV and no names below", async () => {
    assert.match(await asker.verdict(whole("out"), "SRV"), /^NOERROR 0 1 /);
    for (const name of [`x.${whole("out")}`, `_http._tcp.${whole("out")}`]) {
      assert.equal(await asker.verdict(name, "A"), "NXDOMAIN 0 1 1", name);
    }
  });

  test("DNS-056: another target, then a ClusterIP instead: the name follows", async () => {
    await naming.create(external("changing", "www.outside.test"));
    await until("the first target", async () => (await asker.addresses("changing")).join() === OUTSIDE.join());
    const at = { namespace: NS, name: "changing" };
    await naming.client.patch<Service>(services, at, "merge", { spec: { externalName: whole("web") } });
    await until("the second target", async () => (await asker.addresses("changing")).join() === web.join());
    const spec = { type: "ClusterIP", externalName: null, ports: [{ name: "http", port: 80 }] };
    const { clusterIP } = (await naming.client.patch<Service>(services, at, "merge", { spec })).spec!;
    await until("its own address", async () => (await asker.addresses("changing")).join() === clusterIP);
    assert.deepEqual(await asker.dig(whole("changing"), "CNAME"), []);
  });
});
