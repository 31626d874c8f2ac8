import assert from "node:assert/strict";
import { test } from "node:test";
import { readProxyHeader } from "./header.ts";
import type { ProxyHeader } from "./outcome.ts";

const text = (line: string): ProxyHeader => readProxyHeader(Buffer.from(line, "latin1"));
const done = (header: ProxyHeader): Extract<ProxyHeader, { state: "done" }> => {
  assert.ok(header.state === "done", JSON.stringify(header));
  return header;
};

const SIGNATURE = "\r\n\r\n\0\r\nQUIT\n";
const version2 = (command: number, family: number, said: Buffer, size = said.length): Buffer =>
  Buffer.concat([Buffer.from(SIGNATURE, "latin1"), Buffer.from([command, family, size >> 8, size & 255]), said]);
const extra = (type: number, value: Buffer): Buffer =>
  Buffer.concat([Buffer.from([type, value.length >> 8, value.length & 255]), value]);
const inet = Buffer.from([192, 0, 2, 1, 192, 0, 2, 2, 0xdc, 0x04, 0x01, 0xbb]);
const inet6 = Buffer.concat([
  Buffer.from("20010db8000000000000000000000001", "hex"),
  Buffer.from("20010db8000000000000000000000002", "hex"),
  Buffer.from([0xdc, 0x04, 0x01, 0xbb]),
]);

test("version 1 says addresses and ports, or nothing", () => {
  assert.deepEqual(text("PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\nGET"), {
    state: "done",
    length: 42,
    client: { address: "192.0.2.1", port: 56_324, toPort: 443, tls: false, serverName: undefined },
  });
  const six = done(text("PROXY TCP6 2001:DB8::1 2001:db8:0:0::2 1 65535\r\n")).client;
  assert.deepEqual(six, { address: "2001:db8::1", port: 1, toPort: 65_535, tls: false, serverName: undefined });
  assert.equal(done(text("PROXY UNKNOWN\r\n")).client, "local");
  assert.equal(done(text("PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n")).client, "local");
});

test("version 2 says addresses, ports, and whether the client spoke TLS and to which name", () => {
  assert.deepEqual(readProxyHeader(Buffer.concat([version2(0x21, 0x11, inet), Buffer.from("GET")])), {
    state: "done",
    length: 28,
    client: { address: "192.0.2.1", port: 56_324, toPort: 443, tls: false, serverName: undefined },
  });
  const said = Buffer.concat([
    inet6,
    extra(0x04, Buffer.alloc(7)),
    extra(0x02, Buffer.from("A.example")),
    extra(0x20, Buffer.from([1, 0, 0, 0, 0])),
  ]);
  assert.deepEqual(done(readProxyHeader(version2(0x21, 0x21, said))).client, {
    address: "2001:db8::1",
    port: 56_324,
    toPort: 443,
    tls: true,
    serverName: "a.example",
  });
  for (const [command, family, size] of [
    [0x20, 0x00, 0],
    [0x20, 0x11, 12],
    [0x21, 0x31, 216],
    [0x21, 0x00, 5],
  ] as const)
    assert.equal(done(readProxyHeader(version2(command, family, Buffer.alloc(size)))).client, "local");
});

test("what is no header is refused", () => {
  for (const line of [
    "GET / HTTP/1.1\r\n",
    "PROXY TCP4 192.0.2.1 192.0.2.2 56324\r\n",
    "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443 1\r\n",
    "PROXY TCP4  192.0.2.1 192.0.2.2 56324 443\r\n",
    "PROXY TCP4 192.0.2.1 192.0.2.2 65536 443\r\n",
    "PROXY TCP4 192.0.2.1 192.0.2.2 01 443\r\n",
    "PROXY TCP4 192.0.2.1 192.0.2.2 -1 443\r\n",
    "PROXY TCP4 2001:db8::1 192.0.2.2 1 443\r\n",
    "PROXY TCP6 192.0.2.1 192.0.2.2 1 443\r\n",
    "PROXY TCP4 a.example 192.0.2.2 1 443\r\n",
    "PROXY UDP4 192.0.2.1 192.0.2.2 1 443\r\n",
    "PROXY\r\n",
    "proxy TCP4 192.0.2.1 192.0.2.2 1 443\r\n",
    `PROXY UNKNOWN ${"x".repeat(100)}\r\n`,
    `PROXY TCP4 ${"1".repeat(200)}`,
  ])
    assert.equal(text(line).state, "bad", line);
  for (const bytes of [
    version2(0x11, 0x11, inet),
    version2(0x22, 0x11, inet),
    version2(0x21, 0x12, inet),
    version2(0x21, 0x41, inet),
    version2(0x21, 0x11, inet.subarray(1)),
    version2(0x21, 0x21, inet),
    version2(0x21, 0x11, Buffer.concat([inet, Buffer.from([4, 0, 9, 1])])),
    version2(0x21, 0x11, Buffer.concat([inet, Buffer.from([4])])),
    version2(0x21, 0x11, inet, 65_535),
  ])
    assert.equal(readProxyHeader(bytes).state, "bad", bytes.toString("hex"));
});

const headers: readonly Buffer[] = [
  Buffer.from("PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n"),
  Buffer.from("PROXY UNKNOWN\r\n"),
  version2(0x21, 0x11, inet),
  version2(0x21, 0x21, Buffer.concat([inet6, extra(0x20, Buffer.from([1, 0, 0, 0, 0]))])),
  version2(0x20, 0, Buffer.alloc(0)),
];

test("a header that comes byte by byte is waited for to its last byte, and what follows is left", () => {
  for (const header of headers) {
    for (let length = 0; length < header.length; length += 1)
      assert.equal(readProxyHeader(header.subarray(0, length)).state, "more", `${length} of ${header.toString("hex")}`);
    assert.equal(done(readProxyHeader(Buffer.concat([header, Buffer.alloc(100, 0xff)]))).length, header.length);
  }
});

test("20,000 headers with bytes changed, cut or added: each is read, refused or waited for within bounds, and none throws", () => {
  let state = 42;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  for (let i = 0; i < 20_000; i += 1) {
    const bytes = Buffer.concat([headers[random(headers.length)]!, Buffer.alloc(random(3) * 40, random(256))]);
    for (let changes = random(4); changes > 0; changes -= 1) bytes[random(bytes.length)] = random(256);
    const given = bytes.subarray(0, random(3) === 0 ? random(bytes.length + 1) : bytes.length);
    const header = readProxyHeader(given);
    const again = JSON.stringify(header);
    if (header.state === "done") assert.ok(header.length <= given.length, again);
    // It is never waited for more than the longest header there is.
    const filled = readProxyHeader(Buffer.concat([given, Buffer.alloc(5000, 0x20)]));
    assert.notEqual(filled.state, "more", given.toString("hex"));
  }
});
