import { deepEqual, throws } from "node:assert/strict";
import { test } from "node:test";
import type { EngineAbilities } from "../../../src/proxy/engine.ts";
import { judge } from "./check.ts";
import { kept, node, same, type Row } from "./row.ts";
import type { Subject } from "./subject.ts";

const ABLE: EngineAbilities = {
  udp: true,
  sctp: true,
  clientSourceAddress: true,
  refusalWithoutEndpoints: true,
  dropWithoutLocalEndpoints: true,
  refusalOfWrongPorts: true,
  dropOfUnassignedAddresses: true,
  dropOutsideSourceRanges: true,
  shortCircuits: true,
  sessionAffinity: true,
  affinityAcrossAddresses: true,
  loopbackNodePorts: true,
  loopbackNodePortsIPv6: true,
  retry: true,
  weights: true,
  portRanges: true,
  balance: { random: true, "round-robin": true, "least-connections": true, maglev: true, "source-hash": true },
};
const SUBJECT: Subject<never, never, never> = {
  name: "some",
  open() {
    throw new Error("nobody opens it here");
  },
};
const FAR: Row = {
  name: "PRX-046: silence for outsiders",
  service: "far",
  to: "nodePort",
  expected: { pod1: kept("pod3"), node: node("pod3"), client: "dropped" },
  unless: { shortCircuits: { pod1: "dropped", node: "dropped" } },
  by: "dropWithoutLocalEndpoints",
  families: ["IPv4"],
  protocols: ["TCP"],
};
const ends = (change: Partial<EngineAbilities>, subject: Partial<Subject<never, never, never>> = {}, row = FAR) =>
  judge(row, { ...ABLE, ...change }, { ...SUBJECT, ...subject }).cells.map(({ expected }) => expected);

test("a row is as it is written for an engine that can all", () => {
  const judged = judge(FAR, ABLE, SUBJECT);
  deepEqual(
    judged.cells.map(({ expected, instead }) => [expected, instead]),
    [
      [kept("pod3"), false],
      [node("pod3"), false],
      ["dropped", false],
    ],
  );
  deepEqual(judged.reasons, []);
});

test("what an engine cannot do is replaced, with its reason: by what is usual, or by what the engine's own word is", () => {
  const not = { not: "cannot" };
  deepEqual(ends({ dropWithoutLocalEndpoints: not }), [kept("pod3"), node("pod3"), "refused"]);
  const instead = { dropWithoutLocalEndpoints: node("pod3") };
  deepEqual(ends({ dropWithoutLocalEndpoints: not }, { instead }), [kept("pod3"), node("pod3"), node("pod3")]);
  deepEqual(judge(FAR, { ...ABLE, dropWithoutLocalEndpoints: not }, SUBJECT).reasons, [
    "dropWithoutLocalEndpoints: cannot",
  ]);
  deepEqual(ends({ shortCircuits: not }), ["dropped", "dropped", "dropped"]);
  deepEqual(ends({ shortCircuits: not, dropWithoutLocalEndpoints: not }), ["refused", "refused", "refused"]);
  deepEqual(ends({ clientSourceAddress: not }), [node("pod3"), node("pod3"), "dropped"]);
});

test("an engine's exception to one row has the last word", () => {
  const exceptions = { "PRX-046": { why: "of its own", instead: "closed" as const } };
  deepEqual(ends({}, { exceptions }), ["closed", "closed", "closed"]);
  deepEqual(ends({}, { exceptions: { "PRX-047": exceptions["PRX-046"] } }), ends({}));
});

test("an ability without a word for what happens instead is a hole in the table, and says so", () => {
  const row: Row = { ...FAR, expected: same("refused", ["client"]), by: "retry" };
  throws(
    () => ends({ retry: { not: "cannot" } }, {}, row),
    /some has no retry.*does not say what happens instead: PRX-046/,
  );
});
