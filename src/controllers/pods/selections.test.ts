import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { service } from "../../../test/controllers/examples.ts";
import { selects } from "./addresses.ts";
import { createSelections, selectedBy } from "./selections.ts";

const labels = fc.dictionary(fc.constantFrom("a", "b", "c"), fc.constantFrom("1", "2"), { maxKeys: 3 });

test("CTL-003, CTL-008: finds exactly the Services that asking each of them would find, also after selectors change", () => {
  const steps = fc.array(fc.record({ name: fc.nat(6), selector: fc.option(labels, { nil: undefined }) }), {
    maxLength: 20,
  });
  fc.assert(
    fc.property(steps, labels, (steps, pod) => {
      const selections = createSelections();
      const truth = new Map<string, Record<string, string>>();
      for (const { name, selector } of steps) {
        const key = `shop/s${name}`;
        if (selector === undefined) selections.delete(key);
        else selections.set(service({ selector }, { name: `s${name}` }));
        if (selector === undefined || Object.keys(selector).length === 0) truth.delete(key);
        else truth.set(key, selector);
      }
      const expected = [...truth].filter(([, selector]) => selects(selector, pod)).map(([key]) => key);
      assert.deepEqual(selections.selecting("shop", pod).sort(), expected.sort());
      assert.deepEqual(selections.selecting("elsewhere", pod), []);
    }),
  );
});

test("one pod among 45,000 Services of a namespace is looked up under its own labels only", () => {
  const selections = createSelections();
  for (let index = 0; index < 45_000; index += 1) {
    selections.set(service({ selector: { tier: "web", app: `a${index}` } }, { name: `s${index}` }));
  }
  const started = performance.now();
  for (let round = 0; round < 1000; round += 1) {
    assert.deepEqual(selections.selecting("shop", { tier: "web", app: "a777", pod: "x" }), ["shop/s777"]);
  }
  assert.ok(performance.now() - started < 1000, "a look-up takes far less than a millisecond");
});

test("pods are looked for under the rarest pair of the selector", () => {
  const asked: string[] = [];
  const rare = { metadata: { labels: { app: "x", tier: "web" } } };
  const found = selectedBy("shop", { tier: "web", app: "x" }, (word) => {
    asked.push(word);
    return word === "shop/app=x" ? [rare] : [rare, { metadata: { labels: { tier: "web" } } }];
  });
  assert.deepEqual([found, asked], [[rare], ["shop/tier=web", "shop/app=x"]]);
});
