import { equal } from "node:assert/strict";
import { test } from "node:test";
import type { Balance, Target } from "../../plan/plan.ts";
import { choice, markedChoice } from "./scheduler.ts";

const targets = (...weights: number[]): Target[] =>
  weights.map((weight, at) => ({ ip: `10.244.0.${at + 1}`, port: 8080, local: true, weight }));
const ask = (balance: Balance | undefined, weights: number[], usual = "rr", affinitySeconds?: number): string =>
  choice({ balance, affinitySeconds }, targets(...weights), usual);

test("PRX-184: Services that ask for nothing have the node's scheduler, one that heeds weights where they differ", () => {
  equal(ask(undefined, [1, 1]), "-s rr");
  equal(ask(undefined, [1, 2]), "-s wrr");
  equal(ask(undefined, [1, 2], "lc"), "-s wlc");
  equal(ask(undefined, [1, 2], "sed"), "-s sed");
  equal(ask(undefined, [], "fo"), "-s fo");
});

test("each way of balancing has its scheduler; random, which IPVS has not, is the node's", () => {
  equal(ask("round-robin", [1, 1], "lc"), "-s rr");
  equal(ask("round-robin", [1, 3], "lc"), "-s wrr");
  equal(ask("least-connections", [2, 2]), "-s lc");
  equal(ask("least-connections", [1, 2]), "-s wlc");
  equal(ask("maglev", [1, 2]), "-s mh -b mh-fallback");
  equal(ask("source-hash", [1]), "-s sh -b sh-fallback");
  equal(ask("random", [1, 1]), "-s rr");
});

test("PRX-102: affinity is persistence, except in lists for outsiders, which hash the client's address", () => {
  equal(ask(undefined, [1], "rr", 10_800), "-s rr -p 10800");
  equal(ask("maglev", [1], "rr", 60), "-s mh -p 60 -b mh-fallback");
  const port = { balance: undefined, affinitySeconds: 60 };
  equal(markedChoice(port, targets(1), "rr"), "-s mh -b mh-fallback");
  equal(markedChoice({ ...port, affinitySeconds: undefined }, targets(1), "rr"), "-s rr");
});
