import { deepEqual, ok } from "node:assert/strict";
import { test } from "node:test";
import type { NodePlan, ServicePlan, ServicePortPlan, Target } from "../../plan/plan.ts";
import { compile } from "./compile.ts";
import { compileNode } from "./frame.ts";
import { digest } from "./names.ts";
import { restoreText } from "./restore.ts";
import { chainKey } from "./rules.ts";
import { IptState } from "./state.ts";

const NODE: NodePlan = {
  nodeName: "node1",
  families: ["IPv4"],
  nodePortAddresses: { IPv4: "all", IPv6: [] },
  localhostNodePorts: true,
  serviceRanges: ["10.96.0.0/16"],
  localDetector: { by: "ranges", ranges: ["10.244.0.0/16"] },
  nodeAddresses: ["192.168.0.1", "10.244.0.1"],
  masqueradeAll: false,
  masqueradeBit: 14,
  forwardOnly: undefined,
};
const target = (last: number): Target => ({ ip: `10.244.0.${last}`, port: 8080, local: last < 10, weight: 1 });
const to = (...lasts: number[]) => ({ to: "targets", targets: lasts.map(target) }) as const;

const port = (more: Partial<ServicePortPlan>): ServicePortPlan => ({
  id: "default/web:http/TCP",
  family: "IPv4",
  protocol: "TCP",
  frontends: [{ ip: "10.96.26.160", port: 80, kind: "cluster" }],
  nodePort: undefined,
  internal: to(2, 12),
  external: to(2, 12),
  externalLocal: false,
  cluster: to(2, 12),
  serving: [],
  balance: undefined,
  onRemoval: { action: "keep" },
  keepsPort: false,
  affinitySeconds: undefined,
  sourceRanges: undefined,
  ...more,
});
const service = (...ports: ServicePortPlan[]): ServicePlan => ({
  key: "default/web",
  clusterIPs: ["10.96.26.160"],
  ports,
  healthCheckNodePort: undefined,
  localReady: [],
  penaltyBox: true,
  complaints: [],
});

/** A state in which the Services are wanted and nothing is held. */
function wanting(...services: ServicePlan[]): IptState {
  const state = new IptState();
  state.setFrame(compileNode(NODE));
  services.forEach((one, at) => state.setPart(`${at}`, compile(one, NODE)));
  return state;
}
const rulesOf = (state: IptState, table: "nat" | "filter", name: string): readonly string[] | undefined =>
  state.wanted().get(chainKey("IPv4", table, name))?.rules;

const NAME = digest("default/web:http/TCP");

test("PRX-171, PRX-172, PRX-181: a clusterIP is found by its last digits, and its rule says whose it is", () => {
  const state = wanting(service(port({})));
  deepEqual(rulesOf(state, "nat", "FL-DA"), ["-d 0.0.0.0/0.0.0.15 -g FL-DA-0"]);
  deepEqual(rulesOf(state, "nat", "FL-DA-0"), ["-d 0.0.0.160/0.0.0.240 -g FL-DA-0a"]);
  deepEqual(rulesOf(state, "nat", "FL-DA-0a"), ["-d 0.0.10.0/0.0.15.0 -g FL-DA-0aa"]);
  deepEqual(rulesOf(state, "nat", "FL-DA-0aa"), [
    `-d 10.96.26.160/32 -p tcp -m tcp --dport 80 -m comment --comment "default/web:http/TCP" -j FL-SVC-${NAME}`,
  ]);
  deepEqual(rulesOf(state, "nat", `FL-SVC-${NAME}`), [
    "-d 10.96.26.160/32 -j FAIRLEAD-MARK-STRANGERS",
    "-p tcp -m statistic --mode random --probability 0.50000000000 -j DNAT --to-destination 10.244.0.2:8080",
    "-p tcp -j DNAT --to-destination 10.244.0.12:8080",
  ]);
  deepEqual(rulesOf(state, "filter", "FL-BA-0aa"), [
    '-d 10.96.26.160/32 -m comment --comment "default/web" -j FAIRLEAD-REFUSAL',
  ]);
});

test("PRX-036, PRX-038, PRX-039: externalTrafficPolicy Local sends the node and pods to all, others to the Local list", () => {
  const state = wanting(service(port({ nodePort: 30080, external: to(2), externalLocal: true })));
  deepEqual(rulesOf(state, "nat", `FL-OUTER-${NAME}`), [
    "-m addrtype --src-type LOCAL -j FAIRLEAD-MARK",
    `-m addrtype --src-type LOCAL -g FL-SVC-${NAME}`,
    `-s 10.244.0.0/16 -g FL-SVC-${NAME}`,
    `-g FL-SVL-${NAME}`,
  ]);
  deepEqual(rulesOf(state, "nat", "FL-DP"), ["-p tcp -m tcp --dport 29952:30207 -g FL-DP-T-75"]);
  deepEqual(rulesOf(state, "nat", "FL-DP-T-758"), [
    `-p tcp -m tcp --dport 30080 -m comment --comment "default/web:http/TCP" -j FL-OUTER-${NAME}`,
  ]);
});

test("PRX-100: affinity remembers clients by endpoint, one memory for both lists", () => {
  const state = wanting(service(port({ affinitySeconds: 60, nodePort: 30080, external: to(2), externalLocal: true })));
  const [cluster, local] = [rulesOf(state, "nat", `FL-SVC-${NAME}`)!, rulesOf(state, "nat", `FL-SVL-${NAME}`)!];
  const memory = cluster[1]!;
  ok(
    /^-m recent --rcheck --seconds 60 --reap --name FL-TO-\S+ --mask 255.255.255.255 --rsource -j FL-TO-/.test(memory),
  );
  ok(local.includes(memory));
});

test("PRX-045, PRX-046, PRX-093: what has nobody is refused or silence; ranges hold then too", () => {
  const frontends = [{ ip: "203.0.113.1", port: 80, kind: "loadBalancer" }] as const;
  const none = { internal: { to: "reject" }, external: { to: "reject" }, cluster: { to: "reject" } } as const;
  const state = wanting(service(port({ ...none, frontends, nodePort: 30080, sourceRanges: ["192.168.0.0/24"] })));
  deepEqual(rulesOf(state, "nat", "FL-DA"), []);
  deepEqual(rulesOf(state, "filter", `FL-FW-${NAME}`), [
    "-s 192.168.0.0/24 -g FAIRLEAD-REFUSAL",
    // PRX-091: the node itself is in the range.
    "-s 203.0.113.1/32 -d 203.0.113.1/32 -g FAIRLEAD-REFUSAL",
    "-j DROP",
  ]);
  ok(rulesOf(state, "filter", "FL-BP-T-758")![0]!.endsWith("-j FAIRLEAD-REFUSAL"));
});

test("a rule that two Services want is there once, and goes with the last", () => {
  const other = { ...service(port({ id: "default/other:http/TCP" })), key: "default/other" };
  const state = wanting(service(port({})), other);
  deepEqual(rulesOf(state, "nat", "FL-DA")!.length, 1);
  deepEqual(rulesOf(state, "nat", "FL-DA-0aa")!.length, 2);
  state.setPart("0", undefined);
  deepEqual(rulesOf(state, "nat", "FL-DA-0aa")!.length, 1);
  state.setPart("1", undefined);
  deepEqual(rulesOf(state, "nat", "FL-DA-0aa"), undefined);
  deepEqual(rulesOf(state, "nat", "FL-DA"), [], "the root stays");
});

test("PRX-177, PRX-180: a text names a chain before another leads to it, and removes in the same transaction", () => {
  const state = wanting(service(port({ nodePort: 30080, affinitySeconds: 60, external: to(2), externalLocal: true })));
  const text = (): string => {
    const { write, remove } = state.differences(false);
    const { jumps } = compileNode(NODE);
    const result = restoreText({
      family: "IPv4",
      write,
      remove,
      jumps: state.held.size === 0 ? jumps : [],
      generation: 7,
    });
    state.settle(write, remove);
    return result;
  };
  const first = text();
  const known = new Set(["DNAT", "MASQUERADE", "MARK", "REJECT", "DROP", "ACCEPT", "RETURN"]);
  for (const line of first.split("\n")) {
    if (line.startsWith(":")) known.add(/^:(\S+)/.exec(line)![1]!);
    const jump = /^-[AI] .*-[jg] (\S+)/.exec(line)?.[1];
    ok(jump === undefined || known.has(jump), line);
    ok(!line.startsWith("-A") || /^-A (\S+)/.exec(line)![1]!.length <= 28);
  }
  deepEqual(text(), "", "nothing is left to write");
  state.setPart("0", undefined);
  const last = text();
  ok(last.includes(`\n-X FL-SVC-${NAME}\n`));
  ok(last.indexOf("-X") > last.lastIndexOf("-A FL-", last.indexOf("COMMIT")));
});
