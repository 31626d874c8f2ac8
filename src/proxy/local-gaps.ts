import type { IPFamily } from "../net/ip.ts";
import type { Readings } from "../observe/metrics.ts";
import type { AppliedRound } from "./loop.ts";
import type { ServicePlan, ServicePortPlan } from "./plan/plan.ts";

/** Counts Service ports whose traffic is dropped here because their policy is Local and the endpoints are elsewhere (PRX-050). */
export interface LocalGaps {
  applied(round: AppliedRound): void;
  /** By `traffic_policy` and `ip_family`. */
  readings(families: readonly IPFamily[]): Readings;
}

type Policy = "internal" | "external";

/** PRX-019. */
const isExternal = ({ nodePort, frontends }: ServicePortPlan): boolean =>
  nodePort !== undefined || frontends.some(({ kind }) => kind !== "cluster");

const gapsOf = (plan: ServicePlan | undefined): string[] =>
  (plan?.ports ?? []).flatMap((port) => [
    ...(port.internal.to === "drop" ? [`internal ${port.family}`] : []),
    ...(port.external.to === "drop" && isExternal(port) ? [`external ${port.family}`] : []),
  ]);

export function localGaps(): LocalGaps {
  const byService = new Map<string, readonly string[]>();
  const counts = new Map<string, number>();
  const count = (gaps: readonly string[], by: 1 | -1): void => {
    for (const gap of gaps) counts.set(gap, (counts.get(gap) ?? 0) + by);
  };
  return {
    applied({ changes }) {
      for (const [key, plan] of changes) {
        count(byService.get(key) ?? [], -1);
        const gaps = gapsOf(plan);
        count(gaps, 1);
        if (gaps.length === 0) byService.delete(key);
        else byService.set(key, gaps);
      }
    },
    readings: (families) =>
      (["internal", "external"] satisfies Policy[]).flatMap((policy) =>
        families.map((family) => [[policy, family], counts.get(`${policy} ${family}`) ?? 0] as const),
      ),
  };
}
