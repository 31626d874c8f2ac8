import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { until } from "../../lab/until.ts";
import { certificate, dial, planWith, readAll, stand } from "./stand.ts";
import { endpoint } from "../exchange-door.ts";

const host = "a.example";

function memory(): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  collect();
  return process.memoryUsage().rss;
}

/** Many connections that were used once; what each costs, and whether others notice. A process that has held many gives their memory back late, so one file of tests measures once. */
export async function holdIdle(t: TestContext, mode: "plain" | "tls", count: number, bound: number): Promise<void> {
  await using shop = await endpoint(createServer((_, outgoing) => void outgoing.end("here")));
  await using door = await stand(planWith({ endpoints: [shop.port] }, { "": await certificate("", host) }));
  const before = memory();
  const program = join(import.meta.dirname, "idle-clients.ts");
  const port = String(door.port(mode === "tls" ? 1 : 0));
  const clients = spawn(process.execPath, [program, port, String(count), mode], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(clients.stdout, "data");
  assert.equal(door.engine.figures.open, count);
  const each = (memory() - before) / count;
  t.diagnostic(`${Math.round(each / 102.4) / 10} kB a connection`);
  assert.ok(each < bound, `${each} bytes a connection`);
  const times: number[] = [];
  for (let i = 0; i < 50; i += 1) {
    const began = performance.now();
    const socket = await dial(door.port(0));
    socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    assert.match(await readAll(socket), /^HTTP\/1\.1 200 /);
    times.push(performance.now() - began);
    socket.destroy();
  }
  const middle = times.toSorted((a, b) => a - b)[25]!;
  assert.ok(middle < 200, `half of the others waited ${middle} ms`);
  assert.equal(door.engine.figures.open >= count, true);
  clients.kill("SIGKILL");
  await until("every connection to be over", () => door.engine.figures.open === 0);
}
