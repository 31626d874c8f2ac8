import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { usualBlock, usualForward, usualKubernetes } from "../../../src/dns/configuration/usual.ts";
import type { Answer } from "./answers.ts";
import { LEDGER } from "./objects.ts";
import { openSides, type Sides } from "./sides.ts";
import { openUpstream, type Upstream } from "./upstream.ts";

const binary = process.env["COREDNS"];
const SVC = "testns.svc.cluster.local";
const SOA = "ns.dns.cluster.local hostmaster.cluster.local 7200 1800 86400 30";

/**
 * A statement of the ledger: what is asked, and what we and CoreDNS answer: the data of all records, with ` + ` before those that
 * come along; `NODATA` and `NXDOMAIN`, with the zone's start of authority (DNS-078).
 */
type Row = readonly [id: string, name: string, type: string, answer: string];

const A: readonly Row[] = [
  ["DNS-001", `svc1.${SVC}`, "A", "10.0.0.1"],
  ["DNS-002", `svc1.${SVC}`, "AAAA", "NODATA"],
  ["DNS-003", `svc6.${SVC}`, "AAAA", "1234:abcd::1"],
  ["DNS-003", `svc6.${SVC}`, "A", "NODATA"],
  ["DNS-004", `dual.${SVC}`, "A", "10.0.0.3"],
  ["DNS-004", `dual.${SVC}`, "AAAA", "10::3"],
  ["DNS-005", `svcempty.${SVC}`, "A", "10.0.0.9"],
  ["DNS-006", `hdls1.${SVC}`, "A", "172.0.0.2, 172.0.0.3, 172.0.0.4, 172.0.0.5"],
  ["DNS-007", `hdls1.${SVC}`, "AAAA", "5678:abcd::1, 5678:abcd::2"],
  ["DNS-008", `hdlsprtls.${SVC}`, "A", "172.0.0.20"],
  ["DNS-009", `hdlsunready.${SVC}`, "A", "NXDOMAIN"],
  ["DNS-010", `nginx.${SVC}`, "AAAA", "NODATA"],
  ["DNS-011", `dup-name.hdls1.${SVC}`, "A", "172.0.0.4, 172.0.0.5"],
  ["DNS-012", `172-0-0-2.hdls1.${SVC}`, "A", "172.0.0.2"],
  ["DNS-013", `5678-abcd--1.hdls1.${SVC}`, "AAAA", "5678:abcd::1"],
  ["DNS-013", `2001-db8--0.noselector.${SVC}`, "AAAA", "2001:db8::"],
  ["DNS-014", `172-0-0-4.hdls1.${SVC}`, "A", "NXDOMAIN"],
  ["DNS-015", `bogus.hdls1.${SVC}`, "A", "NXDOMAIN"],
  ["DNS-016", `172-0-0-2.svc1.${SVC}`, "A", "172.0.0.2"],
  ["DNS-017", `_http._tcp.svc1.${SVC}`, "A", "10.0.0.1"],
  ["DNS-018", "SVC1.TestNS.svc.Cluster.Local", "A", "10.0.0.1"],
  ["DNS-019", `hdls4.${SVC}`, "A", "172.0.0.40, 172.0.0.41"],
  ["DNS-020", `172-0-0-42.hdls4.${SVC}`, "A", "NXDOMAIN"],
  ["DNS-022", `noselector.${SVC}`, "A", "10.0.0.3"],
  ["DNS-022", `noselector.${SVC}`, "AAAA", "2001:db8::"],
  ["DNS-023", `dualhdls.${SVC}`, "A", "172.0.2.1, 172.0.2.2"],
  ["DNS-023", `dualhdls.${SVC}`, "AAAA", "2001:db8:2::1, 2001:db8:2::2"],
  ["DNS-025", `sharedname.${SVC}`, "A", "172.0.7.1, 172.0.7.2, 172.0.7.3, 172.0.7.4"],
  ["DNS-026", `multi.${SVC}`, "A", "10.0.0.7"],
];

const SRV: readonly Row[] = [
  ["DNS-028", `_http._tcp.svc1.${SVC}`, "SRV", `0 100 80 svc1.${SVC} + 10.0.0.1`],
  ["DNS-029", `multi.${SVC}`, "SRV", `0 33 53 multi.${SVC}, 0 33 80 multi.${SVC}, 0 33 9000 multi.${SVC} + 10.0.0.7`],
  ["DNS-030", `_http._tcp.dual.${SVC}`, "SRV", `0 50 80 dual.${SVC} + 10.0.0.3, 10::3`],
  ["DNS-030", `dual.${SVC}`, "SRV", `0 50 80 dual.${SVC} + 10.0.0.3, 10::3`],
  [
    "DNS-031",
    `_http._tcp.hdls1.${SVC}`,
    "SRV",
    `${["172-0-0-2", "172-0-0-3", "5678-abcd--1", "5678-abcd--2", "dup-name"].map((label) => `0 16 80 ${label}.hdls1.${SVC}`).join(", ")} + 172.0.0.2, 172.0.0.3, 172.0.0.4, 172.0.0.5, 5678:abcd::1, 5678:abcd::2`,
  ],
  ["DNS-032", `_https._tcp.svc1.${SVC}`, "SRV", "NXDOMAIN"],
  ["DNS-033", `_http._udp.svc1.${SVC}`, "SRV", "NXDOMAIN"],
  ["DNS-034", `unnamed.${SVC}`, "SRV", `0 100 8080 unnamed.${SVC} + 10.0.0.21`],
  ["DNS-034", `__._tcp.unnamed.${SVC}`, "SRV", "NXDOMAIN"],
  ["DNS-035", `external.${SVC}`, "SRV", "NODATA"],
  ["DNS-036", `hdlsprtls.${SVC}`, "SRV", "NODATA"],
  ["DNS-037", `172-0-0-2.svc1.${SVC}`, "SRV", `0 100 8080 172-0-0-2.svc1.${SVC} + 172.0.0.2`],
  [
    "DNS-038",
    `_dns._udp.dualhdls.${SVC}`,
    "SRV",
    `0 25 53 172-0-2-1.dualhdls.${SVC}, 0 25 53 2001-db8-2--1.dualhdls.${SVC}, 0 25 53 both.dualhdls.${SVC} + 172.0.2.1, 172.0.2.2, 2001:db8:2::1, 2001:db8:2::2`,
  ],
  ["DNS-039", `http.tcp.svc1.${SVC}`, "SRV", `0 100 80 svc1.${SVC} + 10.0.0.1`],
  [
    "DNS-040",
    `both.dualhdls.${SVC}`,
    "SRV",
    `0 25 53 both.dualhdls.${SVC}, 0 25 80 both.dualhdls.${SVC} + 172.0.2.2, 2001:db8:2::2`,
  ],
];

const PTR: readonly Row[] = [
  ["DNS-041", "1.0.0.10.in-addr.arpa", "PTR", `svc1.${SVC}`],
  ["DNS-042", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.c.b.a.4.3.2.1.ip6.arpa", "PTR", `svc6.${SVC}`],
  ["DNS-043", "3.0.0.172.in-addr.arpa", "PTR", `172-0-0-3.hdls1.${SVC}`],
  ["DNS-043", "4.0.0.172.in-addr.arpa", "PTR", `dup-name.hdls1.${SVC}`],
  ["DNS-044", "3.0.0.10.in-addr.arpa", "PTR", `dual.${SVC}`],
  ["DNS-047", "1.3.0.172.in-addr.arpa", "PTR", `172-0-3-1.dualeps.${SVC}`],
  ["DNS-089", "60.0.0.172.in-addr.arpa", "PTR", `web-0.nginx.${SVC}`],
];

const CNAME: readonly Row[] = [
  ["DNS-049", `external.${SVC}`, "CNAME", "ext.interwebs.test"],
  ["DNS-050", `external.${SVC}`, "A", "192.0.2.80, ext.interwebs.test"],
  ["DNS-050", `external.${SVC}`, "AAAA", "2001:db8::80, ext.interwebs.test"],
  ["DNS-051", `external-to-service.${SVC}`, "A", `10.0.0.1, svc1.${SVC}`],
  ["DNS-052", `external-denied.${SVC}`, "A", "denied.interwebs.test"],
  ["DNS-052", `external-failing.${SVC}`, "A", "failing.interwebs.test"],
  ["DNS-052", `external-to-nothing.${SVC}`, "A", "NODATA"],
  ["DNS-053", `external-loop.${SVC}`, "A", "NODATA"],
  // chain-0 leads to svc1, and each of the others to the one before it.
  [
    "DNS-053",
    `chain-10.${SVC}`,
    "A",
    `10.0.0.1, ${Array.from({ length: 10 }, (_, index) => `chain-${index}.${SVC}`).join(", ")}, svc1.${SVC}`,
  ],
  ["DNS-053", `chain-11.${SVC}`, "A", "NODATA"],
  ["DNS-054", `external-ip.${SVC}`, "A", "NXDOMAIN"],
  ["DNS-055", `x.external.${SVC}`, "A", "NXDOMAIN"],
  ["DNS-055", `_http._tcp.external.${SVC}`, "A", "NXDOMAIN"],
];

const OTHERS: readonly Row[] = [
  ["DNS-058", "dns-version.cluster.local", "TXT", "1.1.0"],
  ["DNS-059", "cluster.local", "SOA", SOA],
  ["DNS-060", `svc1.${SVC}`, "SOA", "NODATA"],
  ["DNS-061", "cluster.local", "NS", "ns.dns.cluster.local + 192.0.2.53"],
  ["DNS-061", `svc1.${SVC}`, "NS", "NODATA"],
  ["DNS-061", `svc0.${SVC}`, "NS", "NXDOMAIN"],
  ["DNS-062", "ns.dns.cluster.local", "A", "192.0.2.53"],
  ["DNS-063", `svc1.${SVC}`, "TXT", "NODATA"],
  ["DNS-063", `svc1.${SVC}`, "MX", "NODATA"],
  ["DNS-063", `svc0.${SVC}`, "MX", "NXDOMAIN"],
  ["DNS-064", "cluster.local", "AXFR", "REFUSED"],
  ["DNS-066", `svc1.${SVC}`, "ANY", "NODATA"],
  ["DNS-066", `svc0.${SVC}`, "ANY", "NXDOMAIN"],
];

const DENIALS: readonly Row[] = [
  ["DNS-067", "cluster.local", "A", "NODATA"],
  ["DNS-067", "svc.cluster.local", "A", "NODATA"],
  ["DNS-067", "pod.cluster.local", "A", "NODATA"],
  ["DNS-068", SVC, "A", "NODATA"],
  ["DNS-069", "nons.svc.cluster.local", "A", "NXDOMAIN"],
  ["DNS-070", `svc0.${SVC}`, "A", "NXDOMAIN"],
  ["DNS-070", `svc0.${SVC}`, "SRV", "NXDOMAIN"],
  ["DNS-071", "svc0.nons.svc.cluster.local", "A", "NXDOMAIN"],
  ["DNS-072", "foo.cluster.local", "A", "NXDOMAIN"],
  ["DNS-072", "a.b.foo.cluster.local", "A", "NXDOMAIN"],
  ["DNS-073", `a.b.c.svc1.${SVC}`, "A", "NXDOMAIN"],
  ["DNS-074", `svc1.${SVC}`, "AAAA", "NODATA"],
  ["DNS-075", `hdlsunready.${SVC}`, "SRV", "NXDOMAIN"],
  ["DNS-077", `*.${SVC}`, "A", "NXDOMAIN"],
  ["DNS-078", `nothing.${SVC}`, "A", "NXDOMAIN"],
  ["DNS-079", `svc1.${SVC}.${SVC}`, "A", "NXDOMAIN"],
];

const PODS: readonly Row[] = [
  ["DNS-084", "1-2-3-4.testns.pod.cluster.local", "A", "1.2.3.4"],
  ["DNS-084", "1234-abcd--1.testns.pod.cluster.local", "AAAA", "1234:abcd::1"],
  ["DNS-086", "nopod.testns.pod.cluster.local", "A", "NXDOMAIN"],
  ["DNS-086", "1-2-3-4.nons.pod.cluster.local", "A", "NXDOMAIN"],
  ["DNS-087", "testns.pod.cluster.local", "A", "NODATA"],
  ["DNS-089", `web-0.nginx.${SVC}`, "A", "172.0.0.60"],
  ["DNS-095", `dup-name.hdls1.${SVC}`, "A", "172.0.0.4, 172.0.0.5"],
];

const SECTIONS: Readonly<Record<string, readonly Row[]>> = {
  "addresses: DNS-001, DNS-002, DNS-003, DNS-004, DNS-005, DNS-006, DNS-007, DNS-008, DNS-009, DNS-010, DNS-011, DNS-012, DNS-013, DNS-014, DNS-015, DNS-016, DNS-017, DNS-018, DNS-019, DNS-020, DNS-022, DNS-023, DNS-025, DNS-026":
    A,
  "services: DNS-028, DNS-029, DNS-030, DNS-031, DNS-032, DNS-033, DNS-034, DNS-035, DNS-036, DNS-037, DNS-038, DNS-039, DNS-040":
    SRV,
  "reverse names: DNS-041, DNS-042, DNS-043, DNS-044, DNS-047, DNS-089": PTR,
  "aliases: DNS-049, DNS-050, DNS-051, DNS-052, DNS-053, DNS-054, DNS-055": CNAME,
  "other types: DNS-058, DNS-059, DNS-060, DNS-061, DNS-062, DNS-063, DNS-064, DNS-066": OTHERS,
  "denials: DNS-067, DNS-068, DNS-069, DNS-070, DNS-071, DNS-072, DNS-073, DNS-074, DNS-075, DNS-077, DNS-078, DNS-079":
    DENIALS,
  "pods: DNS-084, DNS-086, DNS-087, DNS-089, DNS-095": PODS,
};

const dataOf = (records: readonly string[]): string =>
  records
    .map((each) => each.split(" ").slice(3).join(" "))
    .toSorted()
    .join(", ");

/** An answer in the words of a row; whatever is not as it must be in every answer is told too. */
function told({ rcode, authoritative, answers, authority, additional }: Answer): string {
  if (rcode === "REFUSED") return rcode;
  const strange = authoritative ? "" : " (not authoritative)";
  if (answers.length === 0) {
    const isDenied = authority.length === 1 && authority[0] === `cluster.local 30 SOA ${SOA}`;
    const denial = rcode === "NOERROR" ? "NODATA" : rcode;
    return `${denial}${isDenied ? "" : ` (with ${authority.join() || "no start of authority"})`}${strange}`;
  }
  const along = additional.length === 0 ? "" : ` + ${dataOf(additional)}`;
  return `${rcode === "NOERROR" ? "" : `${rcode} `}${dataOf(answers)}${along}${strange}`;
}

let upstream: Upstream | undefined;
let sides: Sides;
before(async () => {
  upstream = await openUpstream();
  const kubernetes = { ...usualKubernetes("cluster.local"), ttl: 30 };
  const forward = [usualForward([{ address: "127.0.0.1", port: upstream.port }])];
  sides = await openSides(binary, [{ ...usualBlock, kubernetes, forward }]);
  await sides.cluster.write(LEDGER);
  await sides.settled();
});
after(async () => {
  await (sides as Sides | undefined)?.close();
  await upstream?.close();
});

for (const [section, rows] of Object.entries(SECTIONS)) {
  const questions = rows.map(([, name, type]) => ({ name, type }));
  const expected = rows.map(([id, name, type, answer]) => `${id} ${name} ${type}: ${answer}`);
  const said = (found: readonly Answer[]): string[] =>
    rows.map(([id, name, type], at) => `${id} ${name} ${type}: ${told(found[at]!)}`);

  test(`the ledger's answers; ${section}`, async () => {
    const named = new Set(section.match(/DNS-\d{3}/g));
    assert.deepEqual([...new Set(rows.map(([id]) => id))].toSorted(), [...named].toSorted());
    assert.deepEqual(said(await sides.askOurs(0, questions)), expected);
  });
  test(
    `CoreDNS gives the ledger's answers too; ${section}`,
    { skip: binary === undefined ? "COREDNS names none" : false },
    async () => assert.deepEqual(said((await sides.ask(0, questions)).map(({ theirs }) => theirs)), expected),
  );
}
