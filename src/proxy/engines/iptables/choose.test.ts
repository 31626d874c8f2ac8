import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import {
  chooseByClient,
  chooseInTurn,
  chooseRandom,
  probabilityText,
  stretchesInOrder,
  stretchesOf,
  turnsOf,
  type Choice,
  type Chosen,
} from "./choose.ts";

const weightsOf = (...weights: number[]) => weights.map((weight) => ({ weight }));
const weights = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 40 });

/** Which share of connections each target gets, by walking the rules. */
function shares({ rules, chains }: Chosen): Map<number, number> {
  const result = new Map<number, number>();
  const walk = (choices: readonly Choice[], from: number, upTo: number): void => {
    let at = from;
    for (const { match, to } of choices) {
      const random = /--probability (\S+)/.exec(match)?.[1];
      const every = /--every (\d+)/.exec(match)?.[1];
      const bound = /up to (\d+)/.exec(match)?.[1];
      let end = upTo;
      if (bound !== undefined) end = (Number(bound) + 1) / 2 ** 32;
      else if (random !== undefined) end = at + (upTo - at) * Number(random);
      else if (every !== undefined) end = at + (upTo - at) / Number(every);
      if (typeof to === "string") walk(chains.get(to)!, at, end);
      else result.set(to, (result.get(to) ?? 0) + end - at);
      at = end;
    }
    equal(at, upTo, "somebody gets what is left");
  };
  walk(rules, 0, 1);
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

const upTo = (bound: number): string => `-m bpf up to ${bound}`;

test("chooseByClient gives each target its exact share, whether in one chain or in several", () => {
  const many = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(many, (list) => {
      const stretches = stretchesInOrder(weightsOf(...list));
      const total = stretches.at(-1)!.end;
      const chosen = chooseByClient(stretches, total, "FL-SVC-AAAAAAAAAAAAAAAA", upTo);
      const found = shares(chosen);
      list.forEach((weight, at) => ok(Math.abs(found.get(at)! - weight / total) < 1e-6));
      for (const [name, rules] of chosen.chains) ok(name.length <= 28 && rules.length <= 40, name);
      ok(chosen.rules.length <= 40);
    }),
  );
});

test("stretchesOf joins neighbours, so that fewer rules say the same", () => {
  deepEqual(stretchesOf([0, 0, 1, 0]), [
    { to: 0, end: 2 },
    { to: 1, end: 3 },
    { to: 0, end: 4 },
  ]);
});
