import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { connect, createServer } from "node:net";
import { describe, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import * as packets from "dns-packet";
import type { Service } from "../../src/api/generated/types.ts";
import { services } from "../../src/api/resources.ts";
import { ask, configurationOf, eventually, framed, overUdp, running } from "./running.ts";

const NAME = "svc1.testns.svc.cluster.local";

const addressesIn = (reply: Buffer | undefined): unknown[] =>
  reply === undefined ? [] : (packets.decode(reply).answers ?? []).flatMap((one) => ("data" in one ? [one.data] : []));

/** An upstream that answers every question for an address with this one. */
async function upstream(t: { after(done: () => void): void }, address: string): Promise<string> {
  const socket = createSocket("udp4");
  socket.on("message", (packet, from) => {
    const { id, questions = [] } = packets.decode(packet);
    const answers = questions.map(({ name }) => ({ type: "A" as const, name, ttl: 5, data: address }));
    const reply = packets.encode({ type: "response", id: id ?? 0, flags: 0x0180, questions, answers });
    socket.send(reply, from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  t.after(() => socket.close());
  return `127.0.0.1:${socket.address().port}`;
}

describe("another configuration while it runs", () => {
  test("DNS-130: a stub domain that comes is asked from then on, and one that goes no more", async (t) => {
    const { dns, port } = await running(t);
    await dns.synced();
    const stub = await upstream(t, "192.0.2.7");
    const [block] = configurationOf({}).servers;
    const [forward] = configurationOf({ upstreams: [stub] }).servers[0]!.forward;
    const acme = { ...block!, zones: ["acme.local"], kubernetes: undefined, forward: [forward!] };
    const { kubernetes: _none, ...stubBlock } = acme;
    assert.deepEqual(addressesIn(await overUdp(port, ask("www.acme.local"))), []);
    await dns.configure({ servers: [block!, stubBlock] });
    assert.deepEqual(addressesIn(await overUdp(port, ask("www.acme.local"))), ["192.0.2.7"]);
    assert.deepEqual(addressesIn(await overUdp(port, ask(NAME))), ["10.0.0.1"]);
    await dns.configure({ servers: [block!] });
    assert.deepEqual(addressesIn(await overUdp(port, ask("www.acme.local"))), []);
  });

  test("no query is lost, and a TCP connection stays, while configurations come and go", async (t) => {
    const { dns, port } = await running(t);
    await dns.synced();
    const socket = connect(port, "127.0.0.1");
    let received = 0;
    let closed = false;
    socket.on("data", (chunk: Buffer) => (received += chunk.length));
    socket.on("close", () => (closed = true));
    t.after(() => socket.destroy());
    let changes = 0;
    const ended = new AbortController();
    const changing = (async () => {
      while (!ended.signal.aborted) {
        const ttl = 5 + (changes % 2);
        await dns.configure(configurationOf({ kubernetes: changes % 4 < 2 ? {} : { ttl } }));
        changes += 1;
        await setImmediate();
      }
    })();
    for (let asked = 0; asked < 300; asked += 1) {
      assert.deepEqual(addressesIn(await overUdp(port, ask(NAME, "A", asked))), ["10.0.0.1"], `query ${asked}`);
    }
    ended.abort();
    await changing;
    assert.ok(changes > 10, `${changes} changes`);
    const before = received;
    socket.write(framed(ask(NAME)));
    await eventually("an answer on the old connection", () => received > before);
    assert.equal(closed, false);
  });

  test("an address that cannot be taken leaves the old configuration in force", async (t) => {
    const { dns, port } = await running(t);
    await dns.synced();
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    t.after(() => taken.close());
    const at = taken.address();
    assert.ok(typeof at === "object" && at !== null);
    const bad = configurationOf({ listen: { address: "127.0.0.1", port: at.port } });
    await assert.rejects(dns.configure(bad), /another program listens there/);
    assert.deepEqual(addressesIn(await overUdp(port, ask(NAME))), ["10.0.0.1"]);
  });

  test("from one address to all and back, on the same port", async (t) => {
    const { dns, port } = await running(t);
    await dns.synced();
    // A port that is known to be free for both: the one the system gave a moment ago to another server.
    const other = await running(t);
    const fixed = other.port;
    await other.dns.stop();
    const on = async (address: string): Promise<void> => {
      await dns.configure(configurationOf({ listen: { address, port: fixed } }));
      assert.deepEqual(addressesIn(await overUdp(fixed, ask(NAME))), ["10.0.0.1"], address);
    };
    await on("127.0.0.1");
    await on("0.0.0.0");
    await on("127.0.0.1");
    assert.equal(await overUdp(port, ask(NAME), 100), undefined, "the old port is closed");
  });

  test("changes of the cluster still show after another configuration", async (t) => {
    const { dns, objects, port } = await running(t);
    await dns.synced();
    await dns.configure(configurationOf({ kubernetes: { ttl: 9 } }));
    const late: Service = {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "late", namespace: "testns" },
      spec: { clusterIP: "10.0.0.77", clusterIPs: ["10.0.0.77"], ports: [] },
    };
    objects.put(services, late);
    await eventually("the new Service", async () => {
      const found = addressesIn(await overUdp(port, ask("late.testns.svc.cluster.local")));
      return found[0] === "10.0.0.77";
    });
  });
});
