import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { addQuantities, count, isWhole, parseQuantity, quantityText, subtractQuantities, ZERO } from "./quantity.ts";

const canonical: [text: string, form: string][] = [
  ["0", "0"],
  ["-0", "0"],
  ["0Ki", "0"],
  ["1", "1"],
  ["+1", "1"],
  ["1.", "1"],
  [".5", "500m"],
  ["-.5", "-500m"],
  ["0.5", "500m"],
  ["1000m", "1"],
  ["1500m", "1500m"],
  ["1000", "1k"],
  ["1500", "1500"],
  ["100000", "100k"],
  ["0.001k", "1"],
  ["1E", "1E"],
  ["1e3", "1e3"],
  ["12E6", "12e6"],
  ["1e-3", "1e-3"],
  ["1024Ki", "1Mi"],
  ["1.5Gi", "1536Mi"],
  ["1Ki", "1Ki"],
  ["0.5Ki", "512"],
  ["1023", "1023"],
  ["1048576", "1048576"],
  ["1n", "1n"],
  ["0.0000000001", "1n"],
  ["100u", "100u"],
  ["99999999999999999999", "9223372036854775807"],
];
for (const [text, form] of canonical) {
  void test(`${text} is written ${form}`, () => assert.equal(quantityText(parseQuantity(text)), form));
}

void test("what is no quantity is refused", () => {
  for (const text of ["", ".", "1x", "1KiB", "--1", "1 ", "Ki"])
    assert.throws(() => parseQuantity(text), TypeError, text);
});

void test("a sum is written as its first part that is something", () => {
  const memory = parseQuantity("64Mi");
  assert.equal(quantityText(addQuantities(ZERO, memory)), "64Mi");
  assert.equal(quantityText(addQuantities(parseQuantity("1Gi"), memory)), "1088Mi");
  assert.equal(quantityText(subtractQuantities(memory, memory)), "0");
  assert.deepEqual([isWhole(parseQuantity("2k")), isWhole(parseQuantity("1500m"))], [true, false]);
});

void test("the canonical form says the same amount, and is its own canonical form", () => {
  const amounts = fc.tuple(
    fc.bigInt(-(10n ** 15n), 10n ** 15n),
    fc.constantFrom("n", "m", "", "k", "M", "Ki", "Mi", "e3"),
  );
  fc.assert(
    fc.property(amounts, ([digits, suffix]) => {
      const quantity = parseQuantity(`${digits}${suffix}`);
      const again = parseQuantity(quantityText(quantity));
      assert.equal(again.nano, quantity.nano);
      assert.equal(quantityText(again), quantityText(quantity));
    }),
  );
  assert.equal(quantityText(count(3)), "3");
});
