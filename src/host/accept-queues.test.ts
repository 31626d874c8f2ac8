import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { connectionsWaitingAt, waitingConnections } from "./accept-queues.ts";

const HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

void test("connections that nobody has accepted are counted, those that were are not", () => {
  const listening = "   0: 00000000:1F90 00000000:0000 0A 00000000:00000011 00:00000000 00000000     0        0 1\n";
  const shaking = "   1: 0100007F:1F90 0100007F:9C40 03 00000000:00000000 01:00000063 00000000     0        0 0\n";
  const open = "   2: 0100007F:1F90 0100007F:9C41 01 00000000:00000400 00:00000000 00000000     0        0 2\n";
  assert.equal(waitingConnections(HEAD), 0);
  assert.equal(waitingConnections(HEAD + open), 0);
  assert.equal(waitingConnections(HEAD + listening + shaking + open), 18);
  assert.equal(waitingConnections(""), 0);
});

void test("a program that accepts nothing has its callers waiting, as the kernel says", async () => {
  // It listens, tells its port, and then never looks again.
  const code = `const s = require("net").createServer().listen(0, "127.0.0.1", () => {
    require("fs").writeSync(1, s.address().port + "\\n");
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20000);
  });`;
  const program = spawn(process.execPath, ["-e", code], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    const [said] = (await once(program.stdout, "data")) as [Buffer];
    const before = await connectionsWaitingAt(program.pid!);
    const sockets = [1, 2, 3].map(() => connect(Number(said.toString()), "127.0.0.1"));
    await Promise.all(sockets.map((socket) => once(socket, "connect")));
    assert.equal((await connectionsWaitingAt(program.pid!)) - before, 3);
    for (const socket of sockets) socket.destroy();
  } finally {
    program.kill("SIGKILL");
  }
});
