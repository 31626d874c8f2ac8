import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { startSubject, type Answered, type Subject } from "./subject.ts";

/** An object that is made, and perhaps patched, and what kube-apiserver v1.36 says of that. */
interface Case {
  readonly about: string;
  readonly path: string;
  readonly body: { readonly metadata: { readonly name: string } };
  /** Its status before the patch. */
  readonly status?: object;
  readonly patch?: object;
  /** `/status`, where the patch goes there. */
  readonly below?: string;
  readonly code: number;
  /** `FIELD: MESSAGE`; of a message of several lines, the others of which show Go's own structs, the first. */
  readonly causes: readonly string[];
  readonly warning?: string;
}

const url = new URL("./fixtures/workload-faults.json", import.meta.url);
const cases = JSON.parse(readFileSync(url, "utf8")) as readonly Case[];
const MERGE = { headers: { "content-type": "application/merge-patch+json" } };
const UID = /[0-9a-f]{8}-[0-9a-f-]{27}/g;

let subject: Subject;
before(async () => {
  subject = await startSubject();
});
after(() => subject.close());

async function answerTo({ path, body, status, patch, below = "" }: Case): Promise<Answered> {
  const made = await subject.ask("POST", path, body);
  if (patch === undefined) return made;
  assert.equal(made.code, 201, made.text);
  const at = `${path}/${body.metadata.name}`;
  if (status !== undefined) assert.equal((await subject.ask("PATCH", `${at}/status`, { status }, MERGE)).code, 200);
  return subject.ask("PATCH", at + below, patch, MERGE);
}

void test("there are many cases, of every kind of workload", () => {
  assert.ok(cases.length > 150);
  assert.equal(new Set(cases.map(({ path }) => path)).size, 9);
});

for (const one of cases) {
  void test(`${one.about}: ${one.causes[0]?.slice(0, 100) ?? "taken"}`, async () => {
    const { code, body, headers, text } = await answerTo(one);
    assert.equal(code, one.code, text);
    const causes = ((body.details?.causes ?? []) as { field: string; message: string }[]).map(
      ({ field, message }) => `${field}: ${message}`.replaceAll(UID, "UID").split("\n")[0],
    );
    assert.deepEqual(causes, one.causes);
    assert.equal(headers["warning"], one.warning);
  });
}
