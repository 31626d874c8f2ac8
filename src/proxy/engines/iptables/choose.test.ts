import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { chooseByClient, chooseInTurn, chooseRandom, probabilityText, slotsInOrder, turnsOf, WIDTH } from "./choose.ts";
import type { Choice, Chosen } from "./choose.ts";

const weightsOf = (...weights: number[]) => weights.map((weight) => ({ weight }));
const weights = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 40 });

/** Which share of connections each target gets, by walking the rules. */
function shares({ rules, chains }: Chosen): Map<number, number> {
  const result = new Map<number, number>();
  const walk = (choices: readonly Choice[], share: number): void => {
    let left = share;
    for (const { match, to } of choices) {
      const random = /--probability (\S+)/.exec(match)?.[1];
      const every = /--every (\d+)/.exec(match)?.[1];
      const cluster = /--cluster-local-nodemask (\S+) --cluster-total-nodes (\d+)/.exec(match);
      const bits = cluster === null ? 0 : Number(cluster[1]).toString(2).replaceAll("0", "").length;
      // A mask is of all that come to the chain, not of what the rules before have left.
      const part =
        cluster !== null
          ? (share * bits) / Number(cluster[2])
          : random !== undefined
            ? left * Number(random)
            : every !== undefined
              ? left / Number(every)
              : left;
      left -= part;
      if (typeof to === "string") walk(chains.get(to)!, part);
      else result.set(to, (result.get(to) ?? 0) + part);
    }
    ok(left < 1e-6, "somebody gets what is left");
  };
  walk(rules, 1);
  return result;
}

test("probabilityText writes what iptables-save prints", () => {
  equal(probabilityText(1 / 3), "0.33333333349");
  equal(probabilityText(1 / 2), "0.50000000000");
  equal(probabilityText(1 / 7), "0.14285714272");
  equal(probabilityText(1 / 4096), "0.00024414062", "a tie goes to the even digit, as in C");
});

test("PRX-173: chooseRandom gives equal targets equal shares, and others theirs by weight", () => {
  const equals = chooseRandom(weightsOf(1, 1, 1));
  deepEqual(
    equals.rules.map(({ match }) => match),
    [
      "-m statistic --mode random --probability 0.33333333349",
      "-m statistic --mode random --probability 0.50000000000",
      "",
    ],
  );
  fc.assert(
    fc.property(weights, (list) => {
      const total = list.reduce((one, other) => one + other, 0);
      const found = shares(chooseRandom(weightsOf(...list)));
      list.forEach((weight, at) => ok(Math.abs(found.get(at)! - weight / total) < 1e-6));
    }),
  );
});

test("turnsOf gives each target its turns, well mixed, and bounds how many there are", () => {
  deepEqual(turnsOf(weightsOf(1, 1, 1)), [0, 1, 2]);
  deepEqual(turnsOf(weightsOf(2, 4)), [1, 0, 1]);
  deepEqual(turnsOf(weightsOf(3, 1)), [0, 0, 1, 0]);
  ok(turnsOf(weightsOf(1, 99_991)).length <= 514);
  fc.assert(
    fc.property(weights, (list) => {
      const found = shares(chooseInTurn(weightsOf(...list)));
      deepEqual(
        [...found.keys()].toSorted((one, other) => one - other),
        [...list.keys()],
      );
    }),
  );
});

test("chooseByClient gives each target the share of its slots, with masks that iptables takes", () => {
  fc.assert(
    fc.property(weights, (list) => {
      const slots = slotsInOrder(weightsOf(...list));
      const chosen = chooseByClient(slots, "FL-SVC-AAAAAAAAAAAAAAAA");
      const found = shares(chosen);
      const total = list.reduce((one, other) => one + other, 0);
      for (const [at, weight] of list.entries()) {
        const exact = weight / total;
        const own = slots.filter((slot) => slot === at).length / slots.length;
        ok(Math.abs(found.get(at)! - own) < 1e-9);
        ok(Math.abs(own - exact) <= exact / 10 || total > WIDTH ** 4 / 10, `${own} is near ${exact}`);
      }
      for (const [name, rules] of [["root", chosen.rules], ...chosen.chains] as [string, readonly Choice[]][]) {
        ok(name.length <= 28, name);
        for (const { match } of rules) ok(match === "" || Number(/nodemask (\S+)/.exec(match)![1]) <= 32, match);
      }
    }),
  );
});

test("chooseByClient of few slots is one level, and exact", () => {
  const { rules, chains } = chooseByClient([0, 0, 1], "FL-SVC-A");
  equal(chains.size, 0);
  deepEqual(rules, [
    {
      match: "-m cluster --cluster-local-nodemask 0x00000003 --cluster-total-nodes 3 --cluster-hash-seed 0x9e3779b1",
      to: 0,
    },
    { match: "", to: 1 },
  ]);
});
