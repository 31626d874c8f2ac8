import type { Verdict } from "./standing.ts";

const notOurs = (why: string): Verdict => ({ standing: "not ours", why });

/** The statements that are not simply proved, each with the reason. */
export const verdicts: Readonly<Record<string, Verdict>> = {
  "SVC-005": notOurs(
    "history: the bitmap that older releases kept beside the IPAddress objects never was in our store",
  ),
};
