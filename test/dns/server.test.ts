import assert from "node:assert/strict";
import { connect } from "node:net";
import { once } from "node:events";
import { describe, test } from "node:test";
import * as packets from "dns-packet";
import { endpointSlices, services } from "../../src/api/resources.ts";
import { createObjects } from "./objects.ts";
import { ask, eventually, framed, overTcp, overUdp, running } from "./running.ts";
import { service, slice } from "./testns.ts";

const SVC = "testns.svc.cluster.local";
const lines = (output: string): string[] => output.split("\n").sort();

void describe("cluster DNS, asked by dig", () => {
  void test("DNS-001, DNS-132, DNS-135, DNS-136, DNS-137, DNS-138: answers over UDP and TCP", async (t) => {
    const { dns, dig } = await running(t);
    await dns.synced();
    for (const transport of ["+notcp", "+tcp"]) {
      assert.equal(await dig(transport, "+short", `svc1.${SVC}`, "A"), "10.0.0.1");
      assert.equal(await dig(transport, "+short", `svc6.${SVC}`, "AAAA"), "1234:abcd::1");
      assert.equal(await dig(transport, "+short", "kubernetes.default.svc.cluster.local"), "10.0.0.10");
      assert.deepEqual(lines(await dig(transport, "+short", `hdls1.${SVC}`)), [
        "172.0.0.2",
        "172.0.0.3",
        "172.0.0.4",
        "172.0.0.5",
      ]);
      assert.equal(await dig(transport, "+short", `_http._tcp.svc1.${SVC}`, "SRV"), `0 100 80 svc1.${SVC}.`);
      assert.equal(await dig(transport, "+short", "-x", "10.0.0.1"), `svc1.${SVC}.`);
      assert.equal(await dig(transport, "+short", "-x", "1234:abcd::1"), `svc6.${SVC}.`);
      assert.equal(await dig(transport, "+short", "dns-version.cluster.local", "TXT"), '"1.1.0"');
    }
  });

  void test("DNS-079: a search list tries names that do not exist before the one that does", async (t) => {
    const { dns, dig } = await running(t);
    await dns.synced();
    const search = [`+domain=${SVC}`, "+ndots=5", "+short"];
    assert.equal(await dig(...search, "svc1"), "10.0.0.1");
    const absolute = await dig("+noall", "+comments", `svc1.${SVC}.${SVC}`);
    assert.match(absolute, /status: NXDOMAIN/);
  });

  void test("DNS-018, DNS-078: flags, spelling and the start of authority", async (t) => {
    const { dns, dig } = await running(t);
    await dns.synced();
    const found = await dig("SVC1.TestNS.svc.Cluster.Local");
    assert.match(found, /status: NOERROR/);
    assert.match(found, /flags: qr aa rd;/);
    assert.match(found, /^SVC1\.TestNS\.svc\.Cluster\.Local\.\s+5\s+IN\s+A\s+10\.0\.0\.1$/m);
    const missing = await dig(`svc0.${SVC}`);
    assert.match(missing, /status: NXDOMAIN/);
    assert.match(
      missing,
      /^cluster\.local\.\s+5\s+IN\s+SOA\s+ns\.dns\.cluster\.local\. hostmaster\.cluster\.local\. /m,
    );
    const empty = await dig(`svc1.${SVC}`, "AAAA");
    assert.match(empty, /status: NOERROR[^]*ANSWER: 0, AUTHORITY: 1/);
  });

  void test("DNS-064: zone transfers are refused; classes and opcodes that are not ours, too", async (t) => {
    const { dns, dig, port } = await running(t);
    await dns.synced();
    assert.match(await dig("cluster.local", "AXFR"), /Transfer failed/);
    const REFUSED = 5;
    assert.equal((await overUdp(port, ask("cluster.local", "IXFR")))![3]! & 0x0f, REFUSED);
    assert.match(await dig("version.bind", "CH", "TXT"), /status: REFUSED/);
    assert.match(await dig("+opcode=NOTIFY", `svc1.${SVC}`), /status: NOTIMP/);
    assert.match(await dig("+edns=1", "+noednsnegotiation", `svc1.${SVC}`), /status: BADVERS/);
  });

  void test("DNS-081: without upstreams, other names are refused at once and the reason is given", async (t) => {
    const { dns, dig } = await running(t);
    await dns.synced();
    const refused = await dig("example.com");
    assert.match(refused, /status: REFUSED/);
    assert.match(refused, /EDE: 20 .*no upstream resolver is set/);
    assert.match(await dig("+noedns", "example.com"), /status: REFUSED/);
    // A resolver's last question, when no domain of the search list has led to anything.
    assert.match(await dig("web"), /status: NXDOMAIN/);
    assert.match(await dig("."), /status: REFUSED/);
  });

  void test("DNS-080: before everything is listed names get SERVFAIL, afterwards answers", async (t) => {
    const objects = createObjects({ holdLists: true });
    const { dns, dig } = await running(t, { kubernetes: { startupTimeout: 0 } }, objects);
    assert.match(await dig(`svc1.${SVC}`), /status: SERVFAIL/);
    assert.match(await dig(`svc0.${SVC}`), /status: SERVFAIL/);
    objects.release();
    await dns.synced();
    assert.equal(await dig("+short", `svc1.${SVC}`), "10.0.0.1");
  });
});

void describe("sizes and orders", () => {
  void test("DNS-021: large sets are cut with TC over UDP and whole over TCP", async (t) => {
    const { dns, dig, objects, port } = await running(t);
    await dns.synced();
    const addresses = Array.from({ length: 200 }, (_, at) => `172.1.0.${at + 1}`);
    objects.put(services, service("large", { clusterIP: "None" }));
    objects.put(endpointSlices, slice("large", addresses));
    const name = `large.${SVC}`;
    await eventually("the slice to be taken in", async () => ((await dig("+short", name)) === "" ? undefined : true));

    for (const [edns, limit] of [
      [[], 512],
      [["+bufsize=1232"], 1232],
    ] as const) {
      const cut = await dig("+ignore", ...(edns.length === 0 ? ["+noedns"] : edns), name);
      assert.match(cut, /flags: qr aa tc rd;/);
      assert.ok(Number(/MSG SIZE\s+rcvd: (\d+)/.exec(cut)?.[1]) <= limit);
      assert.ok(cut.match(/172\.1\.0\./g)!.length >= 28);
    }
    assert.doesNotMatch(await dig("+ignore", "+bufsize=4096", name), /flags:[^;]* tc/);
    assert.equal(
      lines(await dig("+short", "+notcp", "+noedns", name)).length,
      200,
      "dig comes back over TCP by itself",
    );

    const first = new Set<string>();
    for (let turn = 0; turn < 40; turn += 1) {
      const response = await overUdp(port, ask(name, "A", turn));
      const whole = packets.decode(response!).answers ?? [];
      const distinct = new Set(whole.map((answer) => (answer.type === "A" ? answer.data : "")));
      assert.equal(distinct.size, whole.length, "no address comes twice");
      assert.ok(distinct.size >= 28 && [...distinct].every((address) => addresses.includes(address)));
      const [answer] = whole;
      if (answer?.type === "A") first.add(answer.data);
    }
    assert.ok(first.size > 10, `cut answers begin with ${first.size} different addresses`);
  });

  void test("DNS-021: over many answers every address comes first, and none is lost or doubled", async (t) => {
    const { dns, port } = await running(t);
    await dns.synced();
    const first = new Map<string, number>();
    for (let turn = 0; turn < 200; turn += 1) {
      const response = packets.decode((await overUdp(port, ask(`hdls1.${SVC}`, "A", turn)))!);
      const addresses = (response.answers ?? []).map((answer) => (answer.type === "A" ? answer.data : ""));
      assert.deepEqual(addresses.toSorted(), ["172.0.0.2", "172.0.0.3", "172.0.0.4", "172.0.0.5"]);
      first.set(addresses[0]!, (first.get(addresses[0]!) ?? 0) + 1);
    }
    // 200 turns of 4: below 20 for one of them happens less than once in a million runs.
    assert.ok([...first.values()].every((count) => count >= 20) && first.size === 4, JSON.stringify([...first]));
  });
});

void describe("DNS over TCP", () => {
  void test("RFC 7766: many queries on one connection, split anywhere, are all answered", async (t) => {
    const { dns, port } = await running(t);
    await dns.synced();
    const all = Buffer.concat(Array.from({ length: 50 }, (_, id) => framed(ask(`svc1.${SVC}`, "A", id))));
    const chunks = [all.subarray(0, 1), all.subarray(1, 2), all.subarray(2, 77), all.subarray(77)];
    const responses = await overTcp(port, chunks, 50);
    assert.deepEqual(
      responses.map((each) => packets.decode(each).id),
      Array.from({ length: 50 }, (_, id) => id),
    );
    assert.ok(responses.every((each) => packets.decode(each).answers?.length === 1));
  });

  void test("a length of 0, or of more than a query may have, ends that connection and no other", async (t) => {
    const { dns, port } = await running(t);
    await dns.synced();
    assert.deepEqual(await overTcp(port, [Buffer.from([0, 0])], 1), []);
    assert.deepEqual(await overTcp(port, [Buffer.from([0xff, 0xff])], 1), []);
    assert.equal((await overTcp(port, [framed(ask(`svc1.${SVC}`))], 1)).length, 1);
  });

  void test("RFC 7766 §6.2.3: a silent connection is closed after the idle time, one that asks stays", async (t) => {
    const timers: { at: number; callback: () => void }[] = [];
    let now = 0;
    const clock = {
      now: () => now,
      after: (milliseconds: number, callback: () => void) => {
        const timer = { at: now + milliseconds, callback };
        timers.push(timer);
        return () => void timers.splice(timers.indexOf(timer), timers.includes(timer) ? 1 : 0);
      },
    };
    const pass = (milliseconds: number): void => {
      now += milliseconds;
      for (const due of timers.filter(({ at }) => at <= now)) {
        timers.splice(timers.indexOf(due), 1);
        due.callback();
      }
    };
    const { port } = await running(t, { clock });
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    const answered = async (): Promise<unknown> => {
      socket.write(framed(ask("example.com")));
      return once(socket, "data");
    };
    await answered();
    pass(9000);
    await answered();
    pass(9000);
    await answered();
    const closed = once(socket, "close");
    socket.resume();
    pass(10_000);
    await closed;
  });
});

void describe("starting", () => {
  void test("an address that is taken is named, with the remedy, and nothing stays open", async (t) => {
    const { port } = await running(t);
    await assert.rejects(running(t, { listen: { address: "127.0.0.1", port } }), (error: Error) => {
      assert.equal(
        error.message,
        `listening for DNS on TCP 127.0.0.1 port ${port}: taken by node (pid ${process.pid}); end it, or choose another address`,
      );
      return true;
    });
    await assert.rejects(
      running(t, { listen: { address: "192.0.2.1", port: 5353 } }),
      /listening for DNS on TCP 192\.0\.2\.1 port 5353: no interface has this address/,
    );
  });

  void test("an upstream that is no address is refused by name", async (t) => {
    await assert.rejects(running(t, { upstreams: ["resolver.test"] }), /"resolver\.test" is not IP, IPv4:PORT/);
  });
});
