import { equal, match } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { annotationsPage } from "./page.ts";

void test("docs/ingress-annotations.md is what `node scripts/ingress-annotations.ts` writes", () => {
  const page = readFileSync(join(import.meta.dirname, "../../docs/ingress-annotations.md"), "utf8");
  equal(page, annotationsPage());
  match(page, /\| `fairlead\.dev\/balance` \| word \| the same \|/);
});
