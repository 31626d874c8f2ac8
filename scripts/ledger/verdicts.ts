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
  "SVC-355": notOurs(
    "a balancer outside the cluster is told a list of nodes; ours is none: the machine that an address is routed to answers at it by itself, and there is no list to be left out of",
  ),
  "SVC-356": notOurs(
    "a balancer outside the cluster asks each node's health check port; ours stands on the node that would be asked, and its rules know the endpoints",
  ),
  "CTL-051": surpassed(
    "no sync works on a stale view: our own writes are laid over the cache until the watch shows them, so nothing needs to be tried again for that",
  ),
  "CTL-052": surpassed(
    "the same event; and a sync that fails is tried again without end, 5 ms to 10 s apart, where kube-controller-manager gives up after 15 tries until something changes",
  ),
  "CTL-118": surpassed(
    "SIGTERM waits until the kernel's rules leave the pod out, for a second at most: no preStop sleep is needed for a rollout that loses nothing",
  ),
  "CTL-124": surpassed(
    "the same, and maxSurge and maxUnavailable hold for the pods there are, also while a ReplicaSet has not said yet what it has",
  ),
  "DNS-168": notOurs("says itself that the outcome is unspecified"),
  "DNS-173": notOurs("says itself that the order is unspecified"),
};
