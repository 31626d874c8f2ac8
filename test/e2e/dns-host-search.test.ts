import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { webService } from "./answering.ts";
import { clientPod } from "./calling/callers.ts";
import type { Asker } from "./naming/asker.ts";
import { startNaming, type Naming } from "./naming/naming.ts";
import { NS } from "./serving.ts";

const ZONE = "cluster.local";
const INTRANET = ["192.0.2.20"];

/** A host with a search list of its own, at the end of every pod's. */
describe("with a domain in the host's search list", () => {
  let naming: Naming;
  let asker: Asker;
  let web: string[];

  before(async () => {
    const hostSearch = `corp.test ${ZONE} corp.test.`;
    naming = await startNaming({ hostSearch }, webService("web"), webService("wiki"), clientPod("client", NS));
    asker = await naming.askerIn("client");
    web = (await naming.service("web")).spec!.clusterIPs!;
  });
  after(() => naming?.close());

  test("DNS-103: it stands behind the cluster's three, each domain once", async () => {
    const search = (await asker.output("grep", "^search", "/etc/resolv.conf")).trimEnd();
    assert.equal(search, `search ${NS}.svc.${ZONE} svc.${ZONE} ${ZONE} corp.test`);
  });

  test("DNS-103, DNS-120: a name is looked for there when the cluster has none, and before it is asked for as it is", async () => {
    assert.deepEqual(await asker.addresses("wiki.team"), INTRANET);
    assert.deepEqual(await asker.addresses("www.outside.test"), ["192.0.2.10", "2001:db8::10"]);
    assert.deepEqual(await asker.addresses("nobody.outside.test"), []);
    const text = await asker.output("dig", "+search", "+short", "wiki.team", "A");
    assert.equal(text.trim().split("\n").at(-1), INTRANET[0]);
  });

  test("DNS-103, DNS-120: the cluster's names win over the company's", async () => {
    const wiki = (await naming.service("wiki")).spec!.clusterIPs!;
    assert.deepEqual(await asker.addresses("wiki"), wiki);
    assert.deepEqual(await asker.addresses("wiki.corp.test"), INTRANET);
    assert.deepEqual(await asker.addresses("web"), web);
  });

  test("DNS-079, DNS-120: of a name that is there the upstream resolver is asked nothing more than what leads to it", async () => {
    const before = naming.upstream.asked.length;
    await asker.caller.run("getent", "ahosts", "wiki.team.");
    assert.deepEqual(await asker.addresses(`web.${NS}`), web);
    const asked = new Set(naming.upstream.asked.slice(before).map(({ name }) => name));
    assert.deepEqual([...asked], ["wiki.team"]);
  });
});
