import { equal } from "node:assert/strict";
import { test } from "node:test";

test("one", () => equal(1, 1));
test("two", () => equal(1, 2));
