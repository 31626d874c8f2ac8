import assert from "node:assert/strict";
import { test } from "node:test";
import { UsageError } from "./failure.ts";
import { helpLines, oneOf, readFlags, refuseWords, type Flags } from "./flags.ts";
import { nearest } from "../api/nearest.ts";

const FLAGS = {
  data: { type: "string", value: "DIR", help: "where" },
  filename: { type: "string", short: "f", multiple: true, help: "what" },
  private: { type: "boolean", help: "alone" },
} as const satisfies Flags;

const read = (...argv: string[]) => readFlags("up", FLAGS, argv);
const refusal = (what: () => unknown): string => {
  try {
    what();
  } catch (error) {
    assert.ok(error instanceof UsageError, String(error));
    return error.message;
  }
  return assert.fail("it was taken");
};

test("flags are read in every way they are written", () => {
  const { values, positionals, rest } = read(
    "--data=x",
    "-f",
    "a",
    "-f=b",
    "-fc",
    "-f",
    "-",
    "word",
    "--",
    "--odd",
    "-z",
  );
  assert.deepEqual({ ...values }, { data: "x", filename: ["a", "b", "c", "-"] });
  assert.deepEqual(positionals, ["word"]);
  assert.deepEqual(rest, ["--odd", "-z"]);
});

test("an unknown flag is refused by name, with the nearest known one", () => {
  assert.equal(
    refusal(() => read("--dta", "x")),
    "up: unknown flag --dta; did you mean --data?",
  );
  assert.equal(
    refusal(() => read("-private")),
    "up: unknown flag -private; did you mean --private?",
  );
  assert.equal(
    refusal(() => read("--zzzzzzzzzz")),
    "up: unknown flag --zzzzzzzzzz",
  );
  for (const name of ["constructor", "toString", "__proto__"]) {
    assert.ok(refusal(() => read(`--${name}`)).startsWith(`up: unknown flag --${name}`));
  }
});

test("a missing or needless value is one sentence of one line", () => {
  for (const argv of [["--data"], ["--data", "--private"], ["--private=x"], ["-f"]]) {
    const said = refusal(() => read(...argv));
    assert.ok(!said.includes("\n") && said.startsWith("up: "), said);
  }
});

test("words where none belong are refused", () => {
  assert.match(
    refusal(() => refuseWords("up", read("a.yaml"), "Use -f")),
    /"a\.yaml"\? Use -f/,
  );
  assert.match(
    refusal(() => refuseWords("up", read("--", "a.yaml"), "Use -f")),
    /"a\.yaml"/,
  );
  refuseWords("up", read("--private"), "Use -f");
});

test("one of several words, with the nearest", () => {
  assert.equal(oneOf("output", "json", ["text", "json"]), "json");
  assert.match(
    refusal(() => oneOf("output", "jsno", ["text", "json"])),
    /--output: "jsno" .* text, json; did you mean json\?/,
  );
});

test("nearest: the fewest changes, and nothing for what is like none", () => {
  assert.equal(nearest("Srevice", ["Secret", "Service", "Pod"]), "Service");
  assert.equal(nearest("upp", ["up", "down"]), "up");
  assert.equal(nearest("service", []), undefined);
  assert.equal(nearest("frobnicate", ["up", "down"]), undefined);
});

test("help: a line a flag, aligned", () => {
  assert.deepEqual(helpLines({ data: FLAGS.data, filename: FLAGS.filename }), [
    "      --data DIR  where",
    "  -f, --filename  what",
  ]);
});
