import { match, ok } from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "../observe/clock.ts";
import { createFigures } from "./figures.ts";
import type { AppliedRound } from "./loop.ts";
import type { Destination, NodePlan, ServicePlan, ServicePortPlan } from "./plan/plan.ts";

const clock: Clock = { now: () => 2_000_000, after: () => () => {} };
const REJECT: Destination = { to: "reject" };
const DROP: Destination = { to: "drop" };

const port = (more: Partial<ServicePortPlan>): ServicePortPlan => ({
  id: "default/web:http/TCP",
  family: "IPv4",
  protocol: "TCP",
  frontends: [],
  nodePort: undefined,
  internal: REJECT,
  external: REJECT,
  externalLocal: false,
  cluster: REJECT,
  serving: [],
  balance: undefined,
  onRemoval: { action: "keep" },
  keepsPort: false,
  affinitySeconds: undefined,
  sourceRanges: undefined,
  ...more,
});
const round = (changes: Record<string, ServicePortPlan[] | undefined>): AppliedRound => ({
  changes: new Map(
    Object.entries(changes).map(([key, ports]) => [
      key,
      ports === undefined ? undefined : ({ key, ports } as unknown as ServicePlan),
    ]),
  ),
  plans: new Map(),
  node: {} as NodePlan,
  full: false,
});
const textOf = (figures: ReturnType<typeof createFigures>): Promise<string> =>
  figures.text([], (name, error) => {
    throw new Error(name, { cause: error });
  });

test("PRX-050, PRX-129: Service ports in the drop state are counted by policy, and no longer when they are gone", async () => {
  const figures = createFigures(clock, ["IPv4", "IPv6"]);
  figures.applied(
    round({
      a: [port({ internal: DROP, external: DROP }), port({ external: DROP, nodePort: 30000, family: "IPv6" })],
      b: [port({ internal: DROP })],
    }),
  );
  const name = "kubeproxy_sync_proxy_rules_no_local_endpoints_total";
  match(await textOf(figures), new RegExp(`${name}\\{traffic_policy="internal",ip_family="IPv4"\\} 2`));
  match(await textOf(figures), new RegExp(`${name}\\{traffic_policy="external",ip_family="IPv4"\\} 0`));
  match(await textOf(figures), new RegExp(`${name}\\{traffic_policy="external",ip_family="IPv6"\\} 1`));
  figures.applied(round({ a: undefined, b: [port({})] }));
  match(await textOf(figures), new RegExp(`${name}\\{traffic_policy="internal",ip_family="IPv4"\\} 0`));
});

test("PRX-126, PRX-017: from the trigger time to the rules, in upstream's buckets", async () => {
  const figures = createFigures(clock, ["IPv4"]);
  figures.programmed({ service: "default/web", family: "IPv4", triggerTime: 1_000_000, appliedAt: 1_000_400 });
  const text = await textOf(figures);
  const bounds = [
    ...text.matchAll(/network_programming_duration_seconds_bucket\{ip_family="IPv4",le="([^"]+)"\} (\d+)/g),
  ];
  const expected = [0.25, 0.5, 1, 2, 59, 60, 65, 115, 120, 150, 300].map(String);
  ok(expected.every((bound) => bounds.some(([, one]) => one === bound)));
  ok(!bounds.some(([, one]) => one === "61"));
  match(text, /_bucket\{ip_family="IPv4",le="0.25"\} 0/);
  match(text, /_bucket\{ip_family="IPv4",le="0.5"\} 1/);
});

test("PRX-132, PRX-133, PRX-135: failures are counted under the name of the mode", async () => {
  const figures = createFigures(clock, ["IPv4"]);
  figures.failed("nftables", { full: false });
  figures.failed("iptables", { full: true });
  figures.failed("iptables", { full: false });
  figures.failed("ipvs", { full: false });
  figures.cleanupFailed("nftables");
  const text = await textOf(figures);
  match(text, /nftables_sync_failures_total\{ip_family="IPv4"\} 1/);
  match(text, /nftables_cleanup_failures_total\{ip_family="IPv4"\} 1/);
  match(text, /iptables_restore_failures_total\{ip_family="IPv4"\} 3/);
  match(text, /iptables_partial_restore_failures_total\{ip_family="IPv4"\} 1/);
});

test("PRX-131: what an engine counts stands among the rest under its own name", async () => {
  const figures = createFigures(clock, ["IPv4"]);
  const name = "kubeproxy_sync_proxy_rules_iptables_total";
  const labels = { table: "nat", ip_family: "IPv4" };
  const text = await figures.text([{ type: "gauge", name, help: "Rules", labels, value: 12 }], () => {});
  match(text, /kubeproxy_sync_proxy_rules_iptables_total\{table="nat",ip_family="IPv4"\} 12/);
});
