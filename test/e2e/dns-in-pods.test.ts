import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Pod } from "../../src/api/generated/types.ts";
import { answeringPod, webService } from "./answering.ts";
import { clientPod } from "./calling/callers.ts";
import type { Asker } from "./naming/asker.ts";
import { resolversMissing } from "../lab/resolvers/resolvers.ts";
import { startNaming, type Naming } from "./naming/naming.ts";
import { ip6Of, ipOf, NS } from "./serving.ts";

const ZONE = "cluster.local";
const WHOLE = `web.${NS}.svc.${ZONE}`;
const [A, SRV, TXT] = [1, 33, 16];
const PORTS = [
  { name: "http", port: 80, targetPort: "http" },
  { name: "other", port: 81, targetPort: "other" },
];

/** The names of Services as programs in a pod see them. */
describe("names of Services, asked from a pod", () => {
  let naming: Naming;
  let asker: Asker;
  let webs: Pod[];
  let web: string[];

  before(async () => {
    naming = await startNaming(
      {},
      webService("web", { ports: PORTS }),
      webService("dual", { ipFamilyPolicy: "RequireDualStack" }),
      webService("six", { ipFamilies: ["IPv6"] }),
      webService("headless", { clusterIP: "None", ipFamilyPolicy: "RequireDualStack", ports: PORTS }),
      webService("1st-web"),
      webService("empty", { selector: { app: "nobody" } }),
      webService("none", { clusterIP: "None", selector: { app: "nobody" } }),
      ...["web-1", "web-2"].map((name) => answeringPod(name)),
      clientPod("client", NS),
    );
    webs = await Promise.all(["web-1", "web-2"].map((name) => naming.readyPod(name)));
    asker = await naming.askerIn("client");
    web = (await naming.service("web")).spec!.clusterIPs!;
    await naming.untilRules("the rules of both pods", webs.map(ipOf));
  });
  after(() => naming?.close());

  const addressesOf = async (name: string): Promise<string[]> => (await naming.service(name)).spec!.clusterIPs!;

  test("DNS-135: kubernetes.default in its forms, by UDP and TCP, and by every resolver", async () => {
    for (const name of ["kubernetes.default", "kubernetes.default.svc", `kubernetes.default.svc.${ZONE}`]) {
      for (const transport of ["+notcp", "+tcp"]) {
        assert.deepEqual(await asker.dig(transport, "+search", name, "A"), ["10.96.0.1"], `${name} ${transport}`);
      }
      assert.deepEqual(await asker.addresses(name), ["10.96.0.1"], name);
    }
  });

  test("DNS-136, DNS-120, DNS-001: a Service by its partial names, by UDP and TCP, and by every resolver", async () => {
    for (const name of ["web", `web.${NS}`, `web.${NS}.svc`, WHOLE]) {
      for (const transport of ["+notcp", "+tcp"]) {
        assert.deepEqual(await asker.dig(transport, "+search", name, "A"), web, `${name} ${transport}`);
      }
      assert.deepEqual(await asker.addresses(name), web, name);
    }
  });

  test("DNS-120: a bare name is found in the pod's own namespace only, one with its namespace anywhere", async () => {
    assert.deepEqual(await asker.addresses("kubernetes"), []);
    assert.deepEqual(await asker.addresses("kube-dns"), []);
    assert.deepEqual(await asker.addresses("kube-dns.kube-system"), ["10.96.0.10", "fd00:10:96::a"]);
  });

  test("DNS-121: a name with a final dot is absolute", async () => {
    for (const name of ["web.", `web.${NS}.`, `web.${NS}.svc.`, "kubernetes.default."]) {
      assert.deepEqual(await asker.addresses(name), [], name);
    }
    assert.deepEqual(await asker.addresses(`${WHOLE}.`), web);
    assert.deepEqual(await asker.dig("+search", "web.", "A"), []);
  });

  test("DNS-079: the whole name without a final dot is first asked below the search list, and found", async () => {
    const below = await asker.verdict(`${WHOLE}.${NS}.svc.${ZONE}`, "A");
    assert.equal(below, "NXDOMAIN 0 1 1");
    assert.deepEqual(await asker.addresses(WHOLE), web);
  });

  test("DNS-018: capitals are the same name, and come back as they were asked", async () => {
    const text = await asker.output("dig", "+noall", "+answer", `WEB.${NS}.svc.Cluster.Local`, "A");
    assert.match(text, new RegExp(`^WEB\\.${NS}\\.svc\\.Cluster\\.Local\\.\\s.*\\s${web[0]}$`, "m"));
    assert.deepEqual(await asker.addresses("WEB"), web);
    assert.deepEqual(await asker.addresses(`Web.${NS.toUpperCase()}.SVC`), web);
  });

  test("DNS-143: a Service whose name begins with a digit", async () => {
    const address = await addressesOf("1st-web");
    for (const name of ["1st-web", `1st-web.${NS}.svc.${ZONE}`]) {
      assert.deepEqual(await asker.addresses(name), address, name);
      assert.deepEqual(await asker.dig("+search", name, "A"), address, name);
    }
    assert.equal(await asker.nameOf(address[0]!), `1st-web.${NS}.svc.${ZONE}`);
  });

  test("DNS-002, DNS-003, DNS-074: an address of one family; the other is no answer, and does not spoil the first", async () => {
    const [six] = await addressesOf("six");
    assert.equal(await asker.verdict(`six.${NS}.svc.${ZONE}`, "A"), "NOERROR 0 1 1");
    assert.equal(await asker.verdict(WHOLE, "AAAA"), "NOERROR 0 1 1");
    assert.deepEqual(await asker.dig(`six.${NS}.svc.${ZONE}`, "AAAA"), [six]);
    assert.deepEqual(await asker.addresses("six"), [six]);
    assert.deepEqual(await asker.addresses("web"), web);
  });

  test("DNS-004: a dual-stack Service has both its addresses, for every resolver", async () => {
    const [four, six] = await addressesOf("dual");
    assert.deepEqual(await asker.dig("+search", "dual", "A"), [four]);
    assert.deepEqual(await asker.dig("+search", "dual", "AAAA"), [six]);
    assert.deepEqual(await asker.addresses("dual"), [four!, six!].sort());
    assert.equal(await asker.nameOf(six!), `dual.${NS}.svc.${ZONE}`);
  });

  test("DNS-005: a Service without endpoints resolves", async () => {
    assert.deepEqual(await asker.addresses("empty"), await addressesOf("empty"));
  });

  test("DNS-009, DNS-075: a headless Service without a ready endpoint is no name", async () => {
    assert.equal(await asker.verdict(`none.${NS}.svc.${ZONE}`, "A"), "NXDOMAIN 0 1 1");
    assert.deepEqual(await asker.addresses("none"), []);
  });

  test("DNS-006, DNS-007, DNS-023: a headless Service has its pods' addresses of both families", async () => {
    assert.deepEqual(await asker.dig("+search", "headless", "A"), webs.map(ipOf).sort());
    assert.deepEqual(await asker.dig("+search", "headless", "AAAA"), webs.map(ip6Of).sort());
    assert.deepEqual(await asker.addresses("headless"), [...webs.map(ipOf), ...webs.map(ip6Of)].sort());
  });

  test("DNS-012, DNS-013, DNS-016: endpoints by their addresses with dashes, also below a ClusterIP", async () => {
    for (const pod of webs) {
      const dashed = ipOf(pod).replaceAll(".", "-");
      assert.deepEqual(await asker.addresses(`${dashed}.headless`), [ipOf(pod)]);
      assert.deepEqual(await asker.addresses(`${dashed}.web.${NS}.svc`), [ipOf(pod)]);
      const six = ip6Of(pod).replaceAll(":", "-");
      assert.deepEqual(await asker.addresses(`${six.endsWith("-") ? `${six}0` : six}.headless`), [ip6Of(pod)]);
    }
    assert.deepEqual(await asker.addresses("bogus.headless"), []);
  });

  test("DNS-137, DNS-028, DNS-031, DNS-037: SRV of named ports, of a ClusterIP and a headless Service", async () => {
    const digSrv = (name: string): Promise<string[]> => asker.dig("+search", name, "SRV");
    assert.deepEqual(await digSrv(`_http._tcp.web.${NS}.svc`), [`0 100 80 ${WHOLE}.`]);
    assert.deepEqual(await digSrv("_other._tcp.web"), [`0 100 81 ${WHOLE}.`]);
    const headless = await digSrv(`_http._tcp.headless.${NS}.svc`);
    assert.equal(headless.length, 4, "two pods, each by IPv4 and by IPv6");
    const targets = await Promise.all(
      headless.map((record) => {
        const [, port, target] = /^0 25 (\d+) (.+)$/.exec(record) ?? assert.fail(record);
        assert.equal(port, "8080");
        return asker.addresses(target!);
      }),
    );
    assert.deepEqual(targets.flat().sort(), [...webs.map(ipOf), ...webs.map(ip6Of)].sort());
  });

  test("DNS-032, DNS-033: no SRV of a port or protocol that is not", async () => {
    for (const name of [`_https._tcp.${WHOLE}`, `_http._udp.${WHOLE}`]) {
      assert.equal(await asker.verdict(name, "SRV"), "NXDOMAIN 0 1 1", name);
    }
  });

  test("DNS-138, DNS-041, DNS-042: PTR of cluster addresses by UDP and TCP, and by getnameinfo", async () => {
    for (const [name, addresses] of [
      ["web", web],
      ["dual", await addressesOf("dual")],
      ["six", await addressesOf("six")],
    ] as const) {
      for (const address of addresses) {
        for (const transport of ["+notcp", "+tcp"]) {
          assert.deepEqual(await asker.dig(transport, "-x", address), [`${name}.${NS}.svc.${ZONE}.`], address);
        }
        assert.equal(await asker.nameOf(address), `${name}.${NS}.svc.${ZONE}`);
      }
    }
    assert.equal(await asker.nameOf("10.96.0.1"), `kubernetes.default.svc.${ZONE}`);
  });

  test("DNS-043, DNS-047: PTR of a pod's address has a name below each Service that selects it, which lead back", async () => {
    const address = ipOf(webs[0]!);
    const names = await asker.dig("-x", address);
    const dashed = address.replaceAll(".", "-");
    assert.deepEqual(
      names,
      ["1st-web", "dual", "headless", "web"].map((service) => `${dashed}.${service}.${NS}.svc.${ZONE}.`),
    );
    for (const name of names) assert.deepEqual(await asker.addresses(name), [address], name);
  });

  test("DNS-046: a pod that no Service selects has no PTR", async () => {
    const client = await naming.readyPod("client");
    assert.deepEqual(await asker.dig("-x", ipOf(client)), []);
  });

  test("DNS-058: the version of the specification", async () => {
    assert.deepEqual(await asker.dig(`dns-version.${ZONE}`, "TXT"), ['"1.1.0"']);
  });

  test(
    "DNS-058: what a program of each C library hears of records and of denials",
    { skip: resolversMissing },
    async () => {
      assert.deepEqual(await asker.query(`dns-version.${ZONE}`, TXT), ["1.1.0"]);
      assert.deepEqual(await asker.query(WHOLE, A), web);
      assert.deepEqual(await asker.query(`_http._tcp.${WHOLE}`, SRV), [`0 100 80 ${WHOLE}`]);
      assert.deepEqual(await asker.query(`nobody.${NS}.svc.${ZONE}`, A), ["HOST_NOT_FOUND"]);
      assert.deepEqual(await asker.query(`${NS}.svc.${ZONE}`, A), ["NO_DATA"]);
    },
  );

  test("DNS-103, DNS-119: the file that leads there has the cluster's server, three domains and ndots:5", async () => {
    const lines = (await asker.output("cat", "/etc/resolv.conf")).trimEnd().split("\n");
    assert.deepEqual(
      lines.sort(),
      [
        "nameserver 10.96.0.10",
        "nameserver fd00:10:96::a",
        "options ndots:5",
        `search ${NS}.svc.${ZONE} svc.${ZONE} ${ZONE}`,
      ].sort(),
    );
  });
});
