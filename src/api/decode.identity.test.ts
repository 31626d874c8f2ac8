import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { times } from "../../test/lab/counts.ts";
import { decode } from "./decode.ts";
import { quantityFields } from "./decode/quantities.ts";
import { schemaOf } from "./decode/schema.ts";
import { fields } from "./generated/fields.ts";
import { kinds } from "./kinds.ts";
import { apiVersionOf } from "./object.ts";

const words = fc.string({ minLength: 1, maxLength: 8 });
const scalars: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  string: words,
  boolean: fc.boolean(),
  int32: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  int64: fc.maxSafeInteger(),
  float: fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (Object.is(value, -0) ? 0 : value)),
  double: fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (Object.is(value, -0) ? 0 : value)),
  number: fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (Object.is(value, -0) ? 0 : value)),
  byte: fc.uint8Array({ maxLength: 6 }).map((bytes) => Buffer.from(bytes).toString("base64")),
  time: fc.constantFrom("2024-01-02T03:04:05Z", "1970-01-01T00:00:00Z"),
  microtime: fc.constantFrom("2024-01-02T03:04:05.000006Z", "1970-01-01T00:00:00.000000Z"),
  intOrString: fc.oneof(fc.integer({ min: 0, max: 65_535 }), words),
  any: fc.constantFrom<unknown>({}, { "f:spec": { ".": {} } }, "x", 1, [1]),
};
const quantity = fc.constantFrom("1", "100m", "1Gi", "0", "1500");

/** Values of a word of the field table. `depth` bounds what optional fields hold. */
function valuesOf(word: string, type: string, field: string, depth: number): fc.Arbitrary<unknown> {
  if (word.startsWith("[]")) {
    return fc.array(valuesOf(word.slice(2), type, field, depth - 1), { minLength: 1, maxLength: 2 });
  }
  if (word.startsWith("map:")) {
    const inner = valuesOf(word.slice(4), type, field, depth - 1);
    return fc.dictionary(fc.constantFrom("a", "b/c", "constructor"), inner, {
      minKeys: 1,
      maxKeys: 2,
      noNullPrototype: true,
    });
  }
  if (word === "string" && quantityFields.has(`${type}.${field}`)) return quantity;
  return scalars[word] ?? structs(word, depth);
}

/** Objects of a type: what must be there is, and each of the others may be. */
function structs(type: string, depth: number): fc.Arbitrary<Record<string, unknown>> {
  const schema = schemaOf(type);
  /** What is left out when it is zero is not written in the first place. */
  const isSaid = (field: string, value: unknown): boolean => {
    const reader = schema.fields.get(field);
    return reader?.shape !== "scalar" || schema.keptEmpty.has(field) || value !== reader.zero;
  };
  const entries = Object.entries(fields[type]!).filter(([, word]) => depth > 0 || word.endsWith("!"));
  const model = Object.fromEntries(
    entries.map(([field, word]) => {
      const values = fc
        .constant(null)
        .chain(() => valuesOf(word.replace(/!$/, ""), type, field, depth - 1))
        .filter((value) => isSaid(field, value));
      return [field, word.endsWith("!") ? values : fc.option(values, { nil: undefined, freq: 3 })] as const;
    }),
  );
  return fc
    .record(model, { noNullPrototype: true })
    .map((object) => Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)));
}

void test("a zero is left out, unless Go holds the value by pointer or always writes it", () => {
  const pod = {
    metadata: { name: "p" },
    spec: {
      hostNetwork: false,
      nodeName: "",
      containers: [{ name: "", tty: false, securityContext: { privileged: false } }],
    },
  };
  assert.deepEqual(decode("Pod", pod).object, {
    metadata: { name: "p" },
    spec: { containers: [{ name: "", securityContext: { privileged: false } }] },
  });
  assert.deepEqual(decode("ConfigMap", { immutable: false, data: { a: "" } }).object, {
    metadata: {},
    immutable: false,
    data: { a: "" },
  });
});

for (const kind of kinds) {
  void test(`${kind.kind}: a valid object that is read and written is the same object`, () => {
    const objects = structs(kind.type, 4).map((object) => ({
      ...object,
      apiVersion: apiVersionOf(kind),
      kind: kind.kind,
      metadata: object["metadata"] ?? {},
    }));
    fc.assert(
      fc.property(objects, (object) => {
        const text = JSON.stringify(object);
        const { object: read, unknown, faults } = decode(kind, JSON.parse(text));
        assert.deepEqual([unknown, faults], [[], []]);
        assert.deepEqual(JSON.parse(JSON.stringify(read)), JSON.parse(text));
      }),
      { numRuns: times(100, 2000) },
    );
  });
}
