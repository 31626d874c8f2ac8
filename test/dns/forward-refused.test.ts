import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { test } from "node:test";
import * as packets from "dns-packet";
import type { Asker } from "../../src/dns/forward/exchange/exchange.ts";
import { createUdpExchange } from "../../src/dns/forward/exchange/udp.ts";
import { systemClock } from "../../src/observe/clock.ts";
import { until } from "../lab/until.ts";

void test("queries sent together to a resolver that has just gone all hear of it at once, whatever their ports", async (t) => {
  const gone = createSocket("udp4");
  gone.bind(0, "127.0.0.1");
  await once(gone, "listening");
  const ports = new Set<number>();
  gone.on("message", (query: Buffer, from) => {
    ports.add(from.port);
    query[2] = 0x80;
    gone.send(query, from.port, from.address);
  });
  const exchange = createUdpExchange({
    to: { address: "127.0.0.1", port: gone.address().port },
    clock: systemClock,
    random: Math.random,
    expire: 60_000,
    connection: () => {},
  });
  t.after(() => exchange.close());
  let heard = 0;
  const failures: Error[] = [];
  const asker = (): Asker => {
    const query = packets.encode({ type: "query", questions: [{ name: "a.test", type: "A" }] });
    return { query, end: query.length, heard: () => (heard += 1), failed: (error) => failures.push(error) };
  };

  for (let count = 0; count < 50; count += 1) exchange.send(asker());
  await until("all answers", () => heard === 50);
  assert.ok(ports.size > 1);
  gone.close();
  await once(gone, "close");
  // Two from each port: of every second one the kernel says so when it is sent, and then no more.
  for (let count = 0; count < 200; count += 1) exchange.send(asker());
  await until("all failures", () => failures.length === 200);
  assert.match(failures[0]!.message, /^asking the upstream resolver 127\.0\.0\.1 port \d+ over UDP: .*ECONNREFUSED/);
  assert.equal(heard, 50);
});
