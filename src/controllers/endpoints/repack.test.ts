import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { EndpointSubset } from "../../api/generated/types.ts";
import { repackSubsets } from "./repack.ts";

const subset = (addresses: string[], notReadyAddresses: string[], ports: number[]): EndpointSubset => ({
  addresses: addresses.map((ip) => ({ ip })),
  notReadyAddresses: notReadyAddresses.map((ip) => ({ ip })),
  ports: ports.map((port) => ({ port, protocol: "TCP" })),
});
const said = (subsets: readonly EndpointSubset[]): string[] =>
  subsets.map(({ addresses = [], notReadyAddresses = [], ports = [] }) =>
    [addresses.map(({ ip }) => ip), notReadyAddresses.map(({ ip }) => ip), ports.map(({ port }) => port)].join(" "),
  );

test("CTL-058: subsets with the same ports become one, with their addresses sorted", () => {
  const subsets = [subset(["192.0.2.9"], [], [80]), subset(["192.0.2.1"], ["192.0.2.5"], [80])];
  assert.deepEqual(said(repackSubsets(subsets)), ["192.0.2.1,192.0.2.9 192.0.2.5 80"]);
});

test("CTL-058: ports of the same addresses become one subset", () => {
  const subsets = [subset(["192.0.2.1"], ["192.0.2.2"], [80]), subset(["192.0.2.1"], ["192.0.2.2"], [81])];
  assert.deepEqual(said(repackSubsets(subsets)), ["192.0.2.1 192.0.2.2 80,81"]);
});

test("CTL-058: an address that is ready and not ready at the same port is not ready; at another port it may be", () => {
  const subsets = [
    subset(["192.0.2.1"], [], [80]),
    subset([], ["192.0.2.1"], [80]),
    subset(["192.0.2.1"], [], [80]),
    subset(["192.0.2.1"], [], [81]),
  ];
  assert.deepEqual(said(repackSubsets(subsets)), [" 192.0.2.1 80", "192.0.2.1  81"]);
});

test("CTL-006, CTL-058: two pods at one address are two, and the same one is one", () => {
  const at = (uid: string) => ({ ip: "192.0.2.1", targetRef: { kind: "Pod", uid } });
  const [both] = repackSubsets([{ addresses: [at("b"), at("a"), at("b")], ports: [{ port: 80, protocol: "TCP" }] }]);
  assert.deepEqual(
    both?.addresses?.map(({ targetRef }) => targetRef?.uid),
    ["a", "b"],
  );
});

test("CTL-058: repacking again changes nothing, whatever there was in whatever order", () => {
  const ip = fc.integer({ min: 1, max: 6 }).map((number) => `192.0.2.${number}`);
  const any = fc
    .record({
      ready: fc.array(ip, { maxLength: 4 }),
      not: fc.array(ip, { maxLength: 4 }),
      ports: fc.uniqueArray(fc.integer({ min: 1, max: 3 })),
    })
    .map(({ ready, not, ports }) => subset(ready, not, ports));
  fc.assert(
    fc.property(fc.array(any, { maxLength: 6 }), (subsets) => {
      const once = repackSubsets(subsets);
      assert.deepEqual(repackSubsets(once), once);
      assert.deepEqual(repackSubsets(subsets.toReversed()), once);
      const ports = once.map((one) => (one.ports ?? []).map(({ port }) => port).join());
      const addresses = once.map((one) => said([one])[0]!.replace(/ [^ ]*$/, ""));
      assert.ok(once.every((_, index) => addresses.indexOf(addresses[index]!) === index || ports[index] === ""));
    }),
  );
});
