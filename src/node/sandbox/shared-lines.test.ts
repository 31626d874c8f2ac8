import assert from "node:assert/strict";
import { test } from "node:test";
import {
  insideLinkLines,
  localLines,
  makingLines,
  nodeLinkLines,
  noLocalLines,
  noWayLines,
  wayLines,
} from "./shared-lines.ts";

const RANGES = ["10.244.0.0/16", "fd00:10:244::/64"];
const ADDRESSES = ["10.244.0.5", "fd00:10:244::5"];

test("the shared network in the words of ip: one neighbour on each side, and each address there and here", () => {
  assert.deepEqual(makingLines, [
    "netns add fl-shared",
    "link add flshared address 02:03:00:00:00:02 type veth peer name eth0 address 02:03:00:00:00:01 netns fl-shared",
  ]);
  assert.deepEqual(nodeLinkLines(RANGES), [
    "link set flshared addrgenmode none",
    "link set flshared up",
    "neigh replace 169.254.1.1 lladdr 02:03:00:00:00:01 dev flshared nud permanent",
    "neigh replace fe80::203:1 lladdr 02:03:00:00:00:01 dev flshared nud permanent",
  ]);
  assert.deepEqual(insideLinkLines(["fd00:10:244::/64"]), [
    "link set lo up",
    "link set eth0 addrgenmode none",
    "link set eth0 up",
    "neigh replace fe80::203:2 lladdr 02:03:00:00:00:02 dev eth0 nud permanent",
    "route replace default via fe80::203:2 dev eth0 onlink",
  ]);
  assert.deepEqual(wayLines(ADDRESSES), [
    "route replace 10.244.0.5/32 via 169.254.1.1 dev flshared onlink",
    "route replace fd00:10:244::5/128 via fe80::203:1 dev flshared onlink",
  ]);
  assert.deepEqual(localLines(ADDRESSES), [
    "route replace local 10.244.0.5/32 dev lo",
    "addr replace fd00:10:244::5/128 dev lo nodad",
  ]);
  assert.deepEqual(noWayLines(ADDRESSES.slice(0, 1)), ["route del 10.244.0.5/32 dev flshared"]);
  assert.deepEqual(noLocalLines(ADDRESSES.slice(1)), ["addr del fd00:10:244::5/128 dev lo"]);
});
