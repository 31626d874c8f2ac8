import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { markFor, markKey, serverKey, wayOfKey } from "./names.ts";
import { isOurs, parseConnections, parseServers, parseSets } from "./words.ts";

test("what ipvsadm saves is read: virtual servers by name, real ones with their weights", () => {
  const servers = parseServers(
    [
      "-A -t 10.96.0.1:80 -s rr",
      "-a -t 10.96.0.1:80 -r 10.244.0.11:8080 -m -w 0",
      "-A -t 10.96.0.2:80 -s mh -p 300 -b mh-fallback",
      "-A --sctp-service 10.96.0.2:80 -s lc",
      "-A -u [fd00::1]:80 -s rr -p 300",
      "-a -u [fd00::1]:80 -r [fd00:1::1]:8080 -m -w 3",
      "-A -f 1768947712 -6 -s sh -b sh-fallback",
      "-a -f 1768947712 -6 -r [fd00:1::1]:8080 -m -w 1",
      "",
    ].join("\n"),
  );
  deepEqual(
    [...servers].map(([key, { choice, targets }]) => [key, choice, Object.fromEntries(targets)]),
    [
      ["-t 10.96.0.1:80", "-s rr", { "10.244.0.11:8080": 0 }],
      ["-t 10.96.0.2:80", "-s mh -p 300 -b mh-fallback", {}],
      ["--sctp-service 10.96.0.2:80", "-s lc", {}],
      ["-u [fd00::1]:80", "-s rr -p 300", { "[fd00:1::1]:8080": 3 }],
      ["-f 1768947712 -6", "-s sh -b sh-fallback", { "[fd00:1::1]:8080": 1 }],
    ],
  );
});

test("connections of real servers are counted, active and inactive together", () => {
  const text = [
    "IP Virtual Server version 1.2.1 (size=4096)",
    "Prot LocalAddress:Port Scheduler Flags",
    "  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn",
    "TCP  10.96.0.1:80 wrr",
    "  -> 10.1.0.1:8080                Masq    0      2          3         ",
    "UDP  [fd00::1]:80 rr persistent 300",
    "  -> [fd00:1::1]:8080             Masq    1      0          0         ",
    "FWM  1711276033 IPv6 sh",
    "  -> [fd00:1::1]:8080             Masq    1      0          7         ",
  ].join("\n");
  deepEqual(Object.fromEntries(parseConnections(text)), {
    "-t 10.96.0.1:80 10.1.0.1:8080": 5,
    "-u [fd00::1]:80 [fd00:1::1]:8080": 0,
    "-f 1711276033 -6 [fd00:1::1]:8080": 7,
  });
});

test("of what ipset saves only our sets are read, with marks", () => {
  const { names, elements } = parseSets(
    [
      "create KUBE-CLUSTER-IP hash:ip,port family inet",
      "add KUBE-CLUSTER-IP 10.96.0.9,tcp:80",
      "create fairlead-4-outside hash:ip,port family inet hashsize 1024 maxelem 1048576 skbinfo bucketsize 12 initval 0x1",
      "add fairlead-4-outside 203.0.113.1,tcp:80 skbmark 0x69700004",
      "create fairlead-6-health bitmap:port range 0-65535",
      "add fairlead-6-health 32000",
    ].join("\n"),
  );
  deepEqual([...names], ["fairlead-4-outside", "fairlead-6-health"]);
  deepEqual(elements, [
    { family: "IPv4", set: "outside", key: "203.0.113.1,tcp:80", mark: 0x69700004 },
    { family: "IPv6", set: "health", key: "32000", mark: undefined },
  ]);
});

test("a virtual server is ours by its way in, or by its mark", () => {
  const ways = new Set(["IPv4 10.96.0.1,tcp:80", "IPv6 fd00::1,sctp:9"]);
  const ours = (key: string): boolean => isOurs(key, (family, way) => ways.has(`${family} ${way}`));
  equal(ours(serverKey("TCP", "10.96.0.1", 80)), true);
  equal(ours(serverKey("UDP", "10.96.0.1", 80)), false);
  equal(ours(serverKey("SCTP", "fd00::1", 9)), true);
  equal(ours(markKey("IPv4", markFor(1, "TCP"))), true);
  equal(ours("-f 77"), false);
  equal(wayOfKey("-f 77"), undefined);
});
