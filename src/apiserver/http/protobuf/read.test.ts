import assert from "node:assert/strict";
import { test } from "node:test";
import { assert as property, integer, property as forAll, uint8Array } from "fast-check";
import { fields } from "../../../api/generated/fields.ts";
import { isApiError } from "../../../api/status.ts";
import { numbers } from "./numbers.ts";
import { readProtobuf } from "./read.ts";

const bytes = (...parts: (number | string | Buffer)[]): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === "number" ? Buffer.from([part]) : Buffer.from(part as string))));
/** A field with a length, all of it shorter than 128 bytes. */
const field = (number: number, ...parts: (number | string | Buffer)[]): Buffer => {
  const contents = bytes(...parts);
  assert.ok(contents.length < 128);
  return bytes((number << 3) | 2, contents.length, contents);
};
const body = (kind: string, contents: Buffer): Buffer =>
  bytes("k8s\0", field(1, field(1, "v1"), field(2, kind)), field(2, contents));

void test("maps, bytes, pointers and times are read as the JSON they stand for; zeros that say nothing are left out", () => {
  const secret = bytes(
    field(
      1,
      field(1, "s"),
      field(3, ""),
      field(8, 8, 0xc0, 0xdd, 0x9e, 0xd8, 0x6),
      field(11, field(1, "k"), field(2, "")),
    ),
    field(2, field(1, "a"), field(2, "hi")),
    field(3, "Opaque"),
    bytes(5 << 3, 0),
  );
  assert.deepEqual(readProtobuf(body("Secret", secret)), {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "s", creationTimestamp: "2026-11-26T04:00:00Z", labels: { k: "" } },
    data: { a: "aGk=" },
    type: "Opaque",
    immutable: false,
  });
});

void test("fields that Go puts into the object itself stand there", () => {
  const volume = bytes(field(1, "v"), field(2, field(6, field(1, "c"), field(2, field(1, "k"), field(2, "p")))));
  const pod = readProtobuf(body("Pod", field(2, field(1, volume)))) as { spec: { volumes: unknown } };
  assert.deepEqual(pod.spec.volumes, [{ name: "v", secret: { secretName: "c", items: [{ key: "k", path: "p" }] } }]);
});

void test("every field of the field table has a number, but for the two that are never sent", () => {
  const own = (type: string): string[] =>
    (numbers[type] ?? "").split(" ").flatMap((said) => {
      const [name = "", rest = ""] = said.split("=", 2);
      return name === "+" ? own(rest.replace(/^\d+:\*?/, "")) : [name];
    });
  for (const [type, table] of Object.entries(fields)) {
    if (numbers[type] === undefined) continue;
    const unsaid = Object.keys(table).filter((name) => !own(type).includes(name));
    const isRoot = table["metadata"] !== undefined || type === "DeleteOptions";
    assert.deepEqual(
      unsaid.filter((name) => !(isRoot && ["apiVersion", "kind"].includes(name))),
      [],
      type,
    );
  }
});

void test("bytes that are no message are refused, whatever they are", () => {
  const good = body("Pod", field(2, field(1, field(1, "v")), field(2, field(1, "c"))));
  property(
    forAll(uint8Array({ maxLength: 60 }), integer({ min: 4, max: good.length }), (noise, at) => {
      for (const sent of [Buffer.concat([good.subarray(0, at), noise]), Buffer.concat([Buffer.from("k8s\0"), noise])]) {
        try {
          readProtobuf(sent);
        } catch (error) {
          assert.ok(isApiError(error, "BadRequest"), String(error));
        }
      }
    }),
    { numRuns: 2000 },
  );
  const polluting = body("ConfigMap", field(2, field(1, "__proto__"), field(2, "x")));
  assert.throws(() => readProtobuf(polluting), /__proto__/);
});
