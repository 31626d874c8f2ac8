import { deepEqual, equal, throws } from "node:assert/strict";
import { test } from "node:test";
import { array, assert, integer, property, tuple } from "fast-check";
import { addressSet, bareAddress } from "./address-set.ts";
import { cidrContains, parseCidr } from "./cidr.ts";

test("an address is in a set when it is in one of its ranges, whatever it is dressed in", () => {
  const set = addressSet(["10.0.0.0/8", "192.168.1.7/32", "fd00::/8", "2001:db8::1"]);
  for (const [address, expected] of [
    ["10.1.2.3", true],
    ["11.0.0.0", false],
    ["192.168.1.7", true],
    ["192.168.1.8", false],
    ["::ffff:10.1.2.3", true],
    ["::FFFF:10.1.2.3", true],
    ["::ffff:a01:203", true],
    ["::ffff:11.1.2.3", false],
    ["fd12::1", true],
    ["fd12::1%eth0", true],
    ["2001:db8::1", true],
    ["2001:db8:0:0:0:0:0:1", true],
    ["2001:db8::2", false],
    ["", false],
    ["10.1.2", false],
    ["010.1.2.3", false],
    ["10.1.2.3.4", false],
    ["10.1.2.256", false],
    ["unknown", false],
    [":", false],
  ] as const) {
    equal(set.has(address), expected, address);
  }
});

test("all IPv4 is not all IPv6, and the other way round", () => {
  deepEqual([addressSet(["0.0.0.0/0"]).has("::1"), addressSet(["::/0"]).has("10.0.0.1")], [false, false]);
  deepEqual(
    [addressSet([]).isEmpty, addressSet([]).has("10.0.0.1"), addressSet(["::/0"]).isEmpty],
    [true, false, false],
  );
});

test("ranges of IPv4 written as IPv6 are of IPv4", () => {
  deepEqual(
    ["10.1.2.3", "11.1.2.3"].map((address) => addressSet(["::ffff:10.0.0.0/104"]).has(address)),
    [true, false],
  );
});

test("what is no range is refused", () => {
  for (const text of ["10.0.0.0/33", "ten", "10.0.0.0/", "10.0.0.0-10.0.0.9", ""])
    throws(() => addressSet([text]), RangeError);
});

test("a set says what its ranges say one by one", () => {
  const byte = integer({ min: 0, max: 3 });
  const address = tuple(byte, byte, byte, byte).map((bytes) => bytes.join("."));
  const cidr = tuple(address, integer({ min: 0, max: 32 })).map(([ip, prefix]) => `${ip}/${prefix}`);
  assert(
    property(array(cidr, { maxLength: 8 }), address, (cidrs, ip) => {
      equal(
        addressSet(cidrs).has(ip),
        cidrs.some((text) => cidrContains(parseCidr(text), ip)),
      );
    }),
  );
});

test("an address without its clothes", () => {
  deepEqual(["::ffff:10.1.2.3", "fe80::1%eth0", "10.1.2.3", "::ffff:nobody", "x"].map(bareAddress), [
    "10.1.2.3",
    "fe80::1",
    "10.1.2.3",
    "::ffff:nobody",
    "x",
  ]);
});
