import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { decodeProtobuf } from "./decode.ts";
import { Malformed } from "./wire.ts";

/** A small writer of the encoding, apart from the reader that it judges. */
const varint = (value: number | bigint): Buffer => {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    bytes.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return Buffer.from(bytes);
};
const n = (field: number, value: number | bigint): Buffer => Buffer.concat([varint(field << 3), varint(value)]);
const b = (field: number, ...parts: (Buffer | string)[]): Buffer => {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part as string)));
  return Buffer.concat([varint((field << 3) | 2), varint(body.length), body]);
};
const wrapped = (apiVersion: string, kind: string, ...parts: Buffer[]): Buffer =>
  Buffer.concat([Buffer.from("k8s\0"), b(1, b(1, apiVersion), b(2, kind)), b(2, ...parts), b(3, ""), b(4, "")]);

void test("a Service: names, maps, lists, numbers of either sign, int-or-string, and zeros that say nothing", () => {
  const meta = b(1, b(1, "web"), b(2, ""), b(8), b(11, b(1, "app"), b(2, "web")), b(11, b(1, "empty"), b(2, "")));
  const port = (target: Buffer): Buffer => b(1, b(1, ""), b(2, "TCP"), n(3, 80), b(4, target), n(5, 0));
  const spec = b(
    2,
    port(Buffer.concat([n(1, 0), n(2, 8080), b(3, "")])),
    port(Buffer.concat([n(1, 1), n(2, 0), b(3, "http")])),
    b(2, b(1, "a"), b(2, "b")),
    b(4, "ClusterIP"),
    n(20, 0),
  );
  assert.deepEqual(decodeProtobuf("Service", wrapped("v1", "Service", meta, spec, b(3, b(1)))), {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "web", labels: { app: "web", empty: "" } },
    spec: {
      ports: [
        { protocol: "TCP", port: 80, targetPort: 8080 },
        { protocol: "TCP", port: 80, targetPort: "http" },
      ],
      selector: { a: "b" },
      type: "ClusterIP",
      // A pointer in Go: its zero value was said.
      allocateLoadBalancerNodePorts: false,
    },
    status: { loadBalancer: {} },
  });
});

void test("a Pod: messages that JSON has flat, quantities, bytes, times and negative numbers", () => {
  const source = b(1, b(1, b(1, "conf")), b(2, "key"));
  const volume = b(1, b(1, "v"), b(2, b(6, b(1, "secret"), n(3, 420))));
  const env = b(7, b(1, "X"), b(2, ""), b(3, b(3, source.subarray(2))));
  const limits = b(8, b(1, b(1, "cpu"), b(2, b(1, "100m"))));
  const container = b(2, b(1, "main"), env, limits);
  const meta = b(1, b(8, n(1, 1_700_000_000), n(2, 0)));
  const decoded = decodeProtobuf("Pod", wrapped("v1", "Pod", meta, b(2, volume, container, n(4, -1n)))) as {
    metadata: object;
    spec: { volumes: object[]; containers: { resources: object }[]; terminationGracePeriodSeconds: number };
  };
  assert.deepEqual(decoded.metadata, { creationTimestamp: "2023-11-14T22:13:20Z" });
  assert.deepEqual(decoded.spec.volumes, [{ name: "v", secret: { secretName: "secret", defaultMode: 420 } }]);
  assert.deepEqual(decoded.spec.containers[0]?.resources, { limits: { cpu: "100m" } });
  assert.equal(decoded.spec.terminationGracePeriodSeconds, -1);
});

for (const [what, bytes, why] of [
  ["JSON", Buffer.from("{}"), /does not begin/],
  ["a cut", wrapped("v1", "Service", b(1, b(1, "web"))).subarray(0, -6), /ends in the middle/],
  ["a group", wrapped("v1", "Service", Buffer.from([0x0b])), /form that is not used/],
  ["a number for text", wrapped("v1", "Service", b(1, n(1, 5))), /number where bytes/],
  ["text that is not UTF-8", wrapped("v1", "Service", b(1, b(1, Buffer.from([0xff])))), /not UTF-8/],
] as const) {
  void test(`decodeProtobuf refuses ${what}`, () => {
    assert.throws(
      () => decodeProtobuf("Service", bytes),
      (error) => error instanceof Malformed && why.test(error.message),
    );
  });
}

void test("whatever the bytes are, they are read or refused as malformed", () => {
  const whole = wrapped("v1", "Service", b(1, b(1, "web")), b(2, b(1, n(3, 80), b(4, n(2, 5)))));
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.uint8Array({ minLength: 1, maxLength: 4 }), (at, bytes) => {
      const changed = Buffer.from(whole);
      changed.set(bytes.slice(0, changed.length - at), at);
      try {
        decodeProtobuf("Service", changed);
      } catch (error) {
        assert.ok(error instanceof Malformed, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});
