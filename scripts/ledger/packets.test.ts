import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import { packetSection, type PacketNote, type PacketRun } from "./packets.ts";

const note = (row: string, outcome: PacketNote["outcome"], more: Partial<PacketNote> = {}): PacketNote => ({
  row,
  family: "IPv4",
  protocol: "TCP",
  outcome,
  ...more,
});
const RUNS: PacketRun[] = [
  { engine: "userspace", rows: [note("PRX-052: a|b", "instead", { why: "no source" })] },
  { engine: "userspace", rows: [note("more", "skipped", { why: "no tool" })] },
  {
    engine: "nftables",
    rows: [
      note("PRX-052: a|b", "ok"),
      note("PRX-052: a|b", "ok", { protocol: "UDP" }),
      note("PRX-081: loopback", "ok"),
      note("PRX-081: loopback", "failed", { family: "IPv6" }),
    ],
  },
];

test("packetSection: a row a line, an engine a column in a fixed order, one sign where all agree, reasons by number", () => {
  const lines = packetSection(RUNS);
  const table = lines.slice(lines.findIndex((line) => line.startsWith("| row")));
  deepEqual(table, [
    "| row | nftables | userspace |",
    "|---|---|---|",
    "| PRX-052: a\\|b | ✓ | ≠ 1 |",
    "| PRX-081: loopback | TCP/IPv4 ✓, TCP/IPv6 ✗ |  |",
    "| more |  | – 2 |",
    "",
    "1. userspace: no source",
    "2. userspace: no tool",
    "",
  ]);
});

test("packetSection: nothing without a run", () => deepEqual(packetSection([]), []));
