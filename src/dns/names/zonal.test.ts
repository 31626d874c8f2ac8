import assert from "node:assert/strict";
import { test } from "node:test";
import { numberOf, said, type Asked } from "../../../test/dns/said.ts";
import { service, slice, testContents, zonesOf } from "../../../test/dns/testns.ts";
import { lookup } from "./lookup.ts";

const SVC = "testns.svc.cluster.local";
const contents = testContents();
contents.setService("testns/spread", service("spread", { clusterIP: "None" }), [
  slice("spread", [
    { address: "172.0.1.1", zone: "West-2a" },
    { address: "172.0.1.2", zone: "west-2b" },
    { address: "172.0.1.3", zone: "west-2b" },
    { address: "172.0.1.4", zone: "corp.example.com" },
    { address: "172.0.1.5", zone: "west-2d", conditions: { ready: false } },
    { address: "172.0.1.6" },
  ]),
]);
const ALL = ["A 172.0.1.1", "A 172.0.1.2", "A 172.0.1.3", "A 172.0.1.4", "A 172.0.1.6"];

const ask = (name: string, type: Asked = "A", zonal = true): string[] =>
  said(lookup(contents, zonesOf({ zonal }), `${name}.${SVC}`.split("."), numberOf(type)));

void test("DNS-128: pin is the endpoints of a zone, however the zone is spelled, or none", () => {
  assert.deepEqual(ask("west-2a.pin._zone.spread"), ["A 172.0.1.1"]);
  assert.deepEqual(ask("west-2b.pin._zone.spread"), ["A 172.0.1.2", "A 172.0.1.3"]);
  assert.deepEqual(ask("corp.example.com.pin._zone.spread"), ["A 172.0.1.4"]);
  for (const zone of ["west-2c", "west-2d"]) assert.deepEqual(ask(`${zone}.pin._zone.spread`), ["NODATA"], zone);
  assert.deepEqual(ask("west-2c.pin._zone.spread", "TXT"), ["NODATA"]);
});

void test("DNS-128: prefer falls back to all endpoints", () => {
  assert.deepEqual(ask("west-2a.prefer._zone.spread"), ["A 172.0.1.1"]);
  assert.deepEqual(ask("west-2c.prefer._zone.spread"), ALL);
  assert.deepEqual(ask("west-2c.prefer._zone.spread", "TXT"), ["NODATA"]);
  assert.deepEqual(ask("west-2a.prefer._zone.hdlsunready"), ["NODATA"]);
});

void test("DNS-128: SRV leads to the zone's endpoints, by the names that they have", () => {
  assert.deepEqual(ask("west-2b.pin._zone.spread", "SRV"), [
    `+ 172-0-1-2.spread.${SVC} A 172.0.1.2`,
    `+ 172-0-1-3.spread.${SVC} A 172.0.1.3`,
    `SRV 0 50 80 172-0-1-2.spread.${SVC}`,
    `SRV 0 50 80 172-0-1-3.spread.${SVC}`,
  ]);
});

void test("DNS-128: only headless Services have zones, only by these words, and only where it is asked for", () => {
  for (const name of ["pin._zone.svc1", "pin._zone.nothing", "florp._zone.spread", "pin._zone.external"]) {
    assert.deepEqual(ask(`west-2a.${name}`), ["NXDOMAIN"], name);
  }
  assert.deepEqual(ask("west-2a._zone.spread"), ["NXDOMAIN"]);
  assert.deepEqual(ask("west-2a.pin._zone.spread", "A", false), ["NXDOMAIN"]);
  assert.deepEqual(ask("_zone.spread", "A", false), ["NXDOMAIN"]);
});

void test("the labels on the way to a zone's name exist without records", () => {
  for (const name of ["_zone.spread", "pin._zone.spread", "prefer._zone.spread"]) {
    assert.deepEqual(ask(name), ["NODATA"], name);
  }
});
