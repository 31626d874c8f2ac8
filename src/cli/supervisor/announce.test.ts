import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { announcer, type Announcement } from "./announce.ts";

const REFUSED: Announcement = {
  event: "refused",
  file: "a.yaml",
  line: 7,
  object: "Service web",
  why: "spec.x: unknown field",
};
const APPLIED: Announcement = { event: "applied", object: "Service web", how: "created" };

/** What is written where while it is said. */
function said(output: "text" | "json", announcement: Announcement): { out: string; err: string } {
  const written = { out: "", err: "" };
  const out = mock.method(process.stdout, "write", (text: string) => ((written.out += text), true));
  const err = mock.method(process.stderr, "write", (text: string) => ((written.err += text), true));
  try {
    announcer(output)(announcement);
  } finally {
    out.mock.restore();
    err.mock.restore();
  }
  return written;
}

test("a refusal goes to standard error in words, with file and line, also when JSON is asked for", () => {
  const err = "fairlead: a.yaml:7: Service web: spec.x: unknown field\n";
  assert.deepEqual(said("text", REFUSED), { out: "", err });
  assert.deepEqual(said("json", REFUSED), { out: `${JSON.stringify(REFUSED)}\n`, err });
});

test("what went well goes to standard output alone, in words or as one JSON line", () => {
  assert.deepEqual(said("text", APPLIED), { out: "fairlead: Service web created\n", err: "" });
  assert.deepEqual(said("json", APPLIED), { out: `${JSON.stringify(APPLIED)}\n`, err: "" });
});
