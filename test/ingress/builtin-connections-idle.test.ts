import { test } from "node:test";
import { holdIdle } from "./builtin/idle.ts";

test("10,000 idle connections cost at most 40 kB each, and disturb nobody", async (t) =>
  holdIdle(t, "plain", 10_000, 40 << 10));
