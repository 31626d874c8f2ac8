import assert from "node:assert/strict";
import { test } from "node:test";
import { frameOf, readFrames } from "./datagrams.ts";
import { LONGEST_REQUEST, readRequest, requestFor, type Destination } from "./destination.ts";

void test("a request to the dialer is read as it was written, and nothing else is", () => {
  const all: Destination[] = [
    { protocol: "TCP", port: 30_080 },
    { protocol: "UDP", port: 65_535 },
    { protocol: "UDP", ip: "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", port: 65_535 },
  ];
  for (const one of all) {
    assert.deepEqual(readRequest(requestFor(one)), one);
    assert.ok(requestFor(one).length + 1 <= LONGEST_REQUEST);
  }
  for (const text of ["", "30080", "SCTP 80", "TCP 0", "TCP 65536", "UDP host 80", "TCP 10.0.0.1", "TCP 1 2 3"]) {
    assert.equal(readRequest(text), undefined, text);
  }
});

void test("datagrams keep their bounds on a stream, however it is cut", () => {
  const datagrams = [Buffer.from("one"), Buffer.alloc(0), Buffer.alloc(2000, "x"), Buffer.from("last")];
  const stream = Buffer.concat(datagrams.map(frameOf));
  for (const size of [1, 7, 4096, stream.length]) {
    const taken: Buffer[] = [];
    const take = readFrames((datagram) => taken.push(datagram));
    for (let at = 0; at < stream.length; at += size) take(stream.subarray(at, at + size));
    assert.deepEqual(taken, datagrams);
  }
});
