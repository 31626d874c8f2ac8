import type { EngineFigure } from "../../engine.ts";
import { TABLES } from "./rules.ts";
import type { IptState } from "./state.ts";

/** Rules in our own chains, and those that the last round wrote, by table and family (PRX-131). */
export function figures(state: IptState): EngineFigure[] {
  const held = new Map<string, number>();
  for (const { family, table, rules } of state.held.values()) {
    const key = `${family} ${table}`;
    held.set(key, (held.get(key) ?? 0) + rules.length);
  }
  const each = (name: string, help: string, counts: ReadonlyMap<string, number>): EngineFigure[] =>
    (state.frame?.families ?? []).flatMap((family) =>
      TABLES.map((table) => ({
        type: "gauge",
        name: `kubeproxy_sync_proxy_rules_iptables_${name}`,
        help,
        labels: { table, ip_family: family },
        value: counts.get(`${family} ${table}`) ?? 0,
      })),
    );
  return [
    ...each("total", "Rules in chains of our own", held),
    ...each("last", "Rules that the last round wrote", state.lastWritten),
  ];
}
