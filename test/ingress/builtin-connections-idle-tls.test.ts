import { test } from "node:test";
import { holdIdle } from "./builtin/idle.ts";

test("2,000 idle connections over TLS cost at most 120 kB each, and disturb nobody", async (t) =>
  holdIdle(t, "tls", 2000, 120 << 10));
