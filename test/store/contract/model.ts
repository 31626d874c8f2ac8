import assert from "node:assert/strict";
import { test } from "node:test";
import { times } from "../../lab/counts.ts";
import * as fc from "fast-check";
import { memoryStore } from "../../../src/store/memory/memory.ts";
import { Compacted } from "../../../src/store/store.ts";
import type { Condition, Operation, Store } from "../../../src/store/store.ts";
import type { OpenStore } from "../contract.ts";
import { checkPromises, record } from "../watching.ts";
import type { Recorded } from "../watching.ts";

// Few keys, so that they meet; some where the orders of UTF-8 and UTF-16 differ, or where one is the prefix of another.
const keys = ["/a", "/a/", "/a/x", "/a/y", "/a/\u{ffee}", "/a/\u{1f600}", "/a0", "/b/x"];
const key = fc.constantFrom(...keys);
const prefix = fc.constantFrom("", "/", "/a", "/a/", "/a/\u{1f600}", "/b", "/c");

/** Revisions are drawn as a share of those there are, so that they stay meaningful while a sequence shrinks. */
const share = fc.double({ min: 0, max: 1, noNaN: true });

const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant("put" as const),
      key,
      value: fc.string({ maxLength: 5, unit: "binary" }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("delete" as const), key }) },
);

const condition = fc.record({ key, kind: fc.constantFrom("absent", "current", "stale") });

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("write" as const),
      conditions: fc.array(condition, { maxLength: 2 }),
      operations: fc.uniqueArray(operation, { maxLength: 4, selector: (one) => one.key }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("list" as const),
      prefix,
      limit: fc.nat({ max: 4 }),
      after: fc.option(key, { nil: undefined }),
      revision: fc.option(share, { nil: undefined }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("get" as const), key }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("watch" as const), prefix, after: share }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("compact" as const), revision: share }) },
);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** What was answered, or what was thrown, in a form that can be compared. */
const outcome = async (answer: Promise<unknown>): Promise<unknown> => {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof Compacted) return { compacted: [error.revision, error.compactRevision] };
    if (error instanceof RangeError || error instanceof TypeError) return { thrown: error.name };
    throw error;
  }
};

const run = async (model: Store, store: Store, steps: readonly Step[]): Promise<void> => {
  const watches: { prefix: string; after: number; expected: Recorded; recorded: Recorded }[] = [];
  let compacted = 0;
  for (const one of steps) {
    const newest = await model.revision();
    const at = (part: number): number => Math.round(part * (newest + 1));
    switch (one.do) {
      case "write": {
        const conditions: Condition[] = [];
        for (const { key, kind } of one.conditions) {
          const modRevision = (await model.get(key)).entry?.modRevision ?? 1;
          if (kind === "absent") conditions.push({ key, absent: true });
          else conditions.push({ key, modRevision: kind === "current" ? modRevision : modRevision + 1 });
        }
        const expected = await model.write(conditions, one.operations);
        assert.deepEqual(await store.write(conditions, one.operations), expected);
        break;
      }
      case "get":
        assert.deepEqual(await store.get(one.key), await model.get(one.key));
        break;
      case "list": {
        const options = {
          limit: one.limit,
          ...(one.after === undefined ? {} : { after: one.after }),
          ...(one.revision === undefined ? {} : { revision: at(one.revision) }),
        };
        const expected = await outcome(model.list(one.prefix, options));
        assert.deepEqual(await outcome(store.list(one.prefix, options)), expected);
        break;
      }
      case "watch": {
        const after = at(one.after);
        // Whether a watch can start right before the compacted revision is left to the engine: no reader has stood there.
        if (after === compacted - 1) break;
        const expected = await outcome(record(model, one.prefix, after));
        const got = await outcome(record(store, one.prefix, after));
        if (typeof expected === "object" && expected !== null && "compacted" in expected) {
          assert.deepEqual(got, expected);
        } else {
          watches.push({ prefix: one.prefix, after, expected: expected as Recorded, recorded: got as Recorded });
        }
        break;
      }
      case "compact": {
        const revision = at(one.revision);
        const expected = await outcome(model.compact(revision));
        assert.deepEqual(await outcome(store.compact(revision)), expected);
        if (expected === undefined) compacted = Math.max(compacted, revision);
        break;
      }
    }
  }
  const last = await model.revision();
  assert.equal(await store.revision(), last);
  for (const { prefix, after, expected, recorded } of watches) {
    if (after < last) await recorded.reached(last);
    checkPromises(recorded, prefix, after);
    checkPromises(expected, prefix, after);
    assert.deepEqual(recorded.events(), expected.events());
    recorded.watch.close();
  }
};

/** Random sequences of everything a store can do, with the in-memory model beside it. */
export const modelSequences = (engine: string, open: OpenStore): void => {
  void test(
    `${engine}: does in every sequence what the in-memory model does`,
    { timeout: times(120_000, 300_000) },
    async () => {
      const numRuns = times(60, 400);
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60, size: "max" }), async (steps) => {
          const opened = await open();
          try {
            await run(memoryStore(), opened.store, steps);
          } finally {
            await opened.close();
          }
        }),
        // Opening a store for each step of shrinking takes its time: after this, the smallest failure so far is good enough.
        { numRuns, interruptAfterTimeLimit: times(40_000, 120_000) },
      );
    },
  );
};
