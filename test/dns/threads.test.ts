import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import * as packets from "dns-packet";
import { startThreads } from "../../src/cli/dns/threads.ts";
import type { Instance } from "../../src/cli/dns/instance.ts";
import type { DnsConfiguration } from "../../src/dns/configuration/configuration.ts";
import { usualBlock, usualForward } from "../../src/dns/configuration/usual.ts";
import { silentLog } from "../../src/observe/log.ts";
import { until } from "../lab/until.ts";
import { ask, overUdp } from "./running.ts";

/** A resolver that answers with its own address as the answer. */
async function upstream(t: TestContext, address: string): Promise<{ readonly address: string; readonly port: number }> {
  const socket = createSocket("udp4");
  socket.on("message", (packet, from) => {
    const { id, questions = [] } = packets.decode(packet);
    const answers = questions.map(({ name }) => ({ type: "A" as const, name, ttl: 5, data: address }));
    const reply = packets.encode({ type: "response", id: id ?? 0, flags: 0x0180, questions, answers });
    socket.send(reply, from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, address, resolve));
  t.after(() => socket.close());
  return { address, port: socket.address().port };
}

/** A port of 127.0.0.1 that nobody has. */
async function free(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const at = server.address();
  await new Promise((resolve) => server.close(resolve));
  assert.ok(typeof at === "object" && at !== null);
  return at.port;
}

/** The answers of many clients, whom the kernel gives to all threads. */
async function answers(port: number): Promise<string> {
  const replies = await Promise.all(
    Array.from({ length: 40 }, (_, id) => overUdp(port, ask("www.example.org", "A", id + 1), 5000)),
  );
  const all = replies.map((reply) => {
    const first = reply === undefined ? undefined : packets.decode(reply).answers?.[0];
    return first?.type === "A" ? first.data : "none";
  });
  return [...new Set(all)].toSorted().join();
}

describe("DNS in several threads", () => {
  test("one that dies is started again with the configuration of now, and the others answer meanwhile", async (t) => {
    const directory = mkdtempSync(join(tmpdir(), "fairlead-threads-"));
    process.env["DYING_DNS"] = join(directory, "die");
    t.after(() => rmSync(directory, { recursive: true, force: true }));
    const port = await free();
    const [first, second] = [await upstream(t, "127.0.0.1"), await upstream(t, "127.0.0.2")];
    const asking = (to: typeof first): DnsConfiguration => ({
      servers: [{ ...usualBlock, bind: ["127.0.0.1"], port, forward: [usualForward([to])] }],
    });
    const threads: Instance = await startThreads(
      2,
      {
        configuration: asking(first),
        access: {},
        register: [],
        nodeName: "n",
        shortcut: false,
        reusePort: true,
      },
      silentLog,
      "error",
      new URL("./dying-dns.worker.ts", import.meta.url),
    );
    t.after(() => threads.stop());
    assert.equal(await answers(port), "127.0.0.1");
    await threads.configure(asking(second), new AbortController().signal);
    assert.equal(await answers(port), "127.0.0.2");
    for (const worker of [0, 1]) {
      const file = join(directory, `die.${worker}`);
      writeFileSync(file, "");
      await until("the thread to die", () => !existsSync(file));
      // Who asked the thread as it died hears nothing and asks again; then all is as it was, from both.
      await until("all to answer again", async () => (await answers(port)) === "127.0.0.2", { seconds: 60 });
      await until("it to tell its figures", async () => (await threads.metrics()) !== undefined);
    }
  });

  test("an address that a stranger has is told, although threads share theirs", async (t) => {
    const stranger = createSocket({ type: "udp4", reusePort: true });
    await new Promise<void>((resolve) => stranger.bind(0, "127.0.0.1", resolve));
    t.after(() => stranger.close());
    const { port } = stranger.address();
    await assert.rejects(
      startThreads(
        2,
        {
          configuration: { servers: [{ ...usualBlock, bind: ["127.0.0.1"], port }] },
          access: {},
          register: [],
          nodeName: "n",
          shortcut: false,
          reusePort: true,
        },
        silentLog,
        "error",
      ),
      new RegExp(`listening for DNS on UDP 127\\.0\\.0\\.1 port ${port}: `),
    );
  });
});
