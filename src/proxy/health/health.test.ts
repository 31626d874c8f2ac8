import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "../../observe/clock.ts";
import { healthKeeper } from "./health.ts";

const PATIENCE = 60_000;
const setup = () => {
  let time = Date.parse("2026-01-01T00:00:00Z");
  const clock: Clock = { now: () => time, after: () => () => {} };
  return { keeper: healthKeeper(clock, PATIENCE, ["IPv4", "IPv6"]), pass: (ms: number) => void (time += ms) };
};

test("PRX-116: starting up is healthy, however long it takes", () => {
  const { keeper, pass } = setup();
  keeper.queued();
  pass(10 * PATIENCE);
  equal(keeper.health(true).code, 200);
});

test("PRX-116: an update that is due and not done for the whole time is bad health, until it is done", () => {
  const { keeper, pass } = setup();
  keeper.updated();
  keeper.queued();
  pass(PATIENCE / 2);
  keeper.queued();
  pass(PATIENCE / 2 - 1);
  equal(keeper.health().code, 200);
  pass(1);
  equal(keeper.health().code, 503);
  equal(keeper.healthy, false);
  keeper.updated();
  equal(keeper.health().code, 200);
});

test("PRX-117: a node that is not eligible is 503 at /healthz while /livez stays 200", () => {
  const { keeper } = setup();
  keeper.updated();
  equal(keeper.health(false).code, 503);
  equal(keeper.health().code, 200);
});

test("PRX-115, PRX-118: what is said, and that lastUpdated is now when it is good and the last real one when not", () => {
  const { keeper, pass } = setup();
  keeper.updated();
  pass(5000);
  const status = { lastUpdated: "2026-01-01T00:00:00.000Z", healthy: true };
  deepEqual(keeper.health(true).health, {
    lastUpdated: "2026-01-01T00:00:05.000Z",
    currentTime: "2026-01-01T00:00:05.000Z",
    nodeEligible: true,
    healthy: true,
    status: { IPv4: status, IPv6: status },
  });
  equal(keeper.health(false).health.lastUpdated, "2026-01-01T00:00:00.000Z");
  equal(keeper.health().health.nodeEligible, undefined);
});
