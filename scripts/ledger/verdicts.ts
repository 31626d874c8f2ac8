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
  "CTL-155": surpassed(
    "growth moves no session in either mode; balanced decides where new clients go: more of them to the pods that have fewer",
  ),
  "CTL-158": surpassed(
    "without a path there is the warning, and the cookie is for /, so the session stays all the same",
  ),
  "DNS-027": surpassed(
    "the next answer after the API server has told of a change is the new one: nothing waits a second, and nothing is kept beyond the change that makes it untrue",
  ),
  "DNS-076": surpassed("their addresses have no names either: a PTR record never leads to a name that is denied"),
  "DNS-080": surpassed(
    "who asks too early waits for the first lists, up to startup_timeout, while all other names are answered at once; after it a failure, never a false denial",
  ),
  "DNS-081": surpassed(
    "a resolver that is slow, fails or lies costs no answer that another one has: the next is asked beside it, and the first good answer is taken",
  ),
  "DNS-082": surpassed(
    "answers of the cluster, positive and negative, are kept until the change that makes them untrue, and no longer; only those from outside are kept by time",
  ),
  "DNS-120": surpassed(
    "the same, and a name outside costs a known pod one query for each type, where the search list would make it four or more",
  ),
  "DNS-127": surpassed("their addresses have no names either: a PTR record never leads to a name that is denied"),
  "DNS-130": surpassed(
    "the changed Corefile is taken when its folder changes, not at the next interval, and no query is lost by it",
  ),
  "DNS-168": notOurs("says itself that the outcome is unspecified"),
  "DNS-173": notOurs("says itself that the order is unspecified"),
  "PRX-013": surpassed("of two that stay the one in the first slice by name counts, always, whichever came first"),
  "PRX-044": surpassed("the older Service has it, never over another's clusterIP, and the younger is told by an event"),
  "PRX-062": surpassed(
    "a process of the node counts as the node, whichever of the node's addresses it calls from, the one in the range of pods too",
  ),
  "PRX-065": surpassed(
    "the same with iptables; nftables needs no mark at all, so that nobody else's bits are in danger",
  ),
  "PRX-073": surpassed(
    "iptables refuses wrong ports and drops what goes to unassigned addresses, as every other engine does",
  ),
  "PRX-079": surpassed("the addresses of the machine are watched and followed as they change, not at the next round"),
  "PRX-093": surpassed("ranges hold without endpoints too"),
  "PRX-134": notOurs(
    "two counts that kube-proxy has only where the machine has nfacct, and leaves out elsewhere; ours does not ask for it, and what a rule has dropped is said by `iptables -L -v`",
  ),
  "PRX-138": surpassed("EndpointSlices in every mode, userspace too"),
  "PRX-141": surpassed("userspace refuses too, where it used to accept and close"),
  "PRX-142": surpassed("silence in every mode: IPVS sends no outsider to other nodes, and userspace has the policies"),
  "PRX-143": surpassed("refused in every mode"),
  "PRX-144": surpassed("dropped in every mode"),
  "PRX-151": surpassed("every mode is told what changed since its last round, IPVS and userspace too"),
  "PRX-152": surpassed("userspace has them too"),
  "PRX-153": surpassed("userspace has them too"),
  "PRX-154": surpassed("userspace has it too"),
  "PRX-156": surpassed(
    "0 in every mode: a change is in the kernel at once, and what changes meanwhile is the next round",
  ),
  "PRX-157": surpassed(
    "in every mode a look at the rules every five seconds and a comparison of all every hour, however large the cluster",
  ),
  "PRX-161": notOurs("names of kube-proxy's own sets and maps; ours are others, and what they do is shown by packets"),
  "PRX-162": notOurs("names of kube-proxy's own chains; ours has none for a Service or an endpoint (PRX-163)"),
  "PRX-163": surpassed("how many chains there are does not depend on how many Services there are"),
  "PRX-165": surpassed(
    "what a Service has no more goes in the very transaction that takes it out; nothing waits a second",
  ),
  "PRX-168": surpassed(
    "elements of Services that did not change are not looked at either: a change costs what it changes",
  ),
  "PRX-169": surpassed(
    "nft and the kernel are asked whether they take the very rules that we write; versions are only named where they do not",
  ),
  "PRX-171": notOurs(
    "names of kube-proxy's own chains; ours are called FAIRLEAD-…, so that both can be told apart on one machine",
  ),
  "PRX-172": notOurs(
    "names of kube-proxy's own chains; ours are called FL-…, and which rules lead to which is shown by packets",
  ),
  "PRX-179": notOurs(
    "what kube-proxy leaves out to be fast in large clusters; ours writes what changed, and leaves out neither comments nor comparisons",
  ),
  "PRX-180": surpassed("deleted in the transaction after which nothing leads to them"),
  "PRX-189": notOurs("names of kube-proxy's own sets; ours are others, and what they do is shown by packets"),
  "PRX-190": surpassed(
    "pods and the node have the Cluster endpoints, and outsiders hear nothing, as the policy says: they have virtual servers of their own",
  ),
  "PRX-191": surpassed(
    "looked at every five seconds, and compared whole when something is amiss and every hour; minSyncPeriod is 0, too",
  ),
  "PRX-193": notOurs(
    "how kube-proxy led packets to its sockets, by ports of its own and chains of iptables; ours listens at the addresses themselves, and needs neither",
  ),
  "PRX-198": surpassed(
    "policies, hints, source ranges and endpoints that end are as in every other mode; SCTP and the client's address at the pod are what sockets cannot have",
  ),
  "PRX-205": surpassed("flows of a Service without endpoints are cleaned too, at once"),
  "PRX-208": surpassed("they are cleaned too, also those of a Service that was deleted while no proxy ran"),
  "PRX-213": surpassed(
    "what is held is kept right by its watch, and needs no resync: the field is accepted, and it is said that it does nothing",
  ),
  "PRX-223": notOurs(
    "pprof shows the runtime of Go, which is not here; the field is accepted, and it is said that it does nothing",
  ),
  "PRX-225": surpassed(
    "unset is the best mode that can run here: nftables, else iptables, else userspace, and the log says why not one before it",
  ),
  "PRX-229": surpassed("minSyncPeriod is 0 unless it is set: a change waits for nothing"),
  "PRX-236": surpassed("minSyncPeriod is 0 unless it is set: a change waits for nothing"),
  "PRX-258": surpassed("one proxy plans both families, so that one round carries a change of both"),
  "PRX-263": surpassed("node ports follow the Node to its other addresses, without a restart"),
  "PRX-270": surpassed("healed within five seconds in every mode, counted, and told by an event"),
};
