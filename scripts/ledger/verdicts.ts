import type { Verdict } from "./standing.ts";

const notOurs = (why: string): Verdict => ({ standing: "not ours", why });
const surpassed = (why: string): Verdict => ({ standing: "surpassed", why });

/** The statements that are not simply proved, each with the reason. */
export const verdicts: Readonly<Record<string, Verdict>> = {
  "SVC-005": notOurs(
    "history: the bitmap that older releases kept beside the IPAddress objects never was in our store",
  ),
  "SVC-007": notOurs(
    "a gate of kube-proxy's, on by default; our proxy has no gates and programs what is stored, as theirs does by default, and what may be stored is said where it is written (SVC-304)",
  ),
  "SVC-115": surpassed(
    "without the flag there is more room, and both families: 10.96.0.0/16 and fd00:10:96::/112 in the place of 10.0.0.0/24",
  ),
  "SVC-254": notOurs(
    "a plug-in of kube-apiserver that is off until somebody turns it on, and that Fairlead has not; off, as by default, both take the same writes, as the tests show",
  ),
  "SVC-262": surpassed("repaired as soon as it is deleted, not at the next of rounds that are three minutes apart"),
  "SVC-304": surpassed(
    "the same rule, and on unless --allow-external-ips turns it off: CVE-2020-8554 needs no setting",
  ),
};
