import assert from "node:assert/strict";
import { Duplex } from "node:stream";
import { test } from "node:test";
import { connect } from "node:tls";
import { readHello } from "./client-hello.ts";

/** The first bytes that Node's TLS sends. */
async function helloOf(servername: string | undefined): Promise<Buffer> {
  const sent = Promise.withResolvers<Buffer>();
  const wire = new Duplex({
    read() {},
    write(chunk: Buffer, _, done) {
      sent.resolve(chunk);
      done();
    },
  });
  const socket = connect({ socket: wire, ...(servername === undefined ? {} : { servername }) });
  socket.on("error", () => {});
  const hello = await sent.promise;
  socket.destroy();
  return hello;
}

/** The same handshake in records of so many bytes. */
function inRecords(hello: Buffer, size: number): Buffer {
  const body = hello.subarray(5);
  const records: Buffer[] = [];
  for (let at = 0; at < body.length; at += size) {
    const part = body.subarray(at, at + size);
    records.push(Buffer.from([22, 3, 1, part.length >> 8, part.length & 255]), part);
  }
  return Buffer.concat(records);
}

test("the name in a hello is found, in small letters, in one record or in many, and not before the hello is whole", async () => {
  const hello = await helloOf("Shop.Example");
  const found = { state: "done", serverName: "shop.example" };
  assert.deepEqual(readHello(hello), found);
  assert.deepEqual(readHello(Buffer.concat([hello, Buffer.from("more")])), found);
  for (const size of [1, 2, 3, 100]) assert.deepEqual(readHello(inRecords(hello, size)), found);
  for (let length = 0; length < hello.length; length += 1)
    assert.deepEqual(readHello(hello.subarray(0, length)), { state: "more" });
});

test("a hello without a name is one without a name", async () => {
  assert.deepEqual(readHello(await helloOf(undefined)), { state: "done", serverName: undefined });
});

test("what is not TLS is told at its first bytes", () => {
  for (const text of ["G", "GET / HTTP/1.1\r\n", "\x80\x2e\x01\x03\x01", "\x16\x02\x00", "\0"])
    assert.deepEqual(readHello(Buffer.from(text, "latin1")), { state: "not-tls" }, JSON.stringify(text));
});

test("20,000 hellos with bytes changed or cut: a name that could be one, none, or more to come; and none throws", async () => {
  const hello = await helloOf("shop.example");
  let state = 7;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  for (let i = 0; i < 20_000; i += 1) {
    const bytes = Buffer.from(random(2) === 0 ? hello : inRecords(hello, 1 + random(200)));
    for (let changes = 1 + random(4); changes > 0; changes -= 1) bytes[random(bytes.length)] = random(256);
    const read = readHello(bytes.subarray(0, random(4) === 0 ? random(bytes.length) : bytes.length));
    if (read.state === "done" && read.serverName !== undefined) assert.match(read.serverName, /^[a-z0-9_.-]{1,255}$/);
    // A hello is never waited for beyond what TLS itself would read.
    assert.notEqual(readHello(Buffer.concat([bytes, Buffer.alloc(200_000)])).state, "more");
  }
});
