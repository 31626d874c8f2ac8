import { deepEqual } from "node:assert/strict";
import { before, describe, test } from "node:test";
import { systemHost } from "../../../src/host/processes.ts";
import type { EngineAbilities, ProxyEngine } from "../../../src/proxy/engine.ts";
import type { NodePlan } from "../../../src/proxy/plan/plan.ts";
import { Carried } from "../lab/carried.ts";
import type { Network } from "../lab/network.ts";
import { nodePlan, service, slices } from "../lab/objects.ts";
import { judge, look } from "./check.ts";
import type { Case, Group, Row } from "./row.ts";
import type { Matrix } from "./matrix.ts";
import { lack, type Subject } from "./subject.ts";

type Any = never;

/** Who carries Services on the lab's node, an engine or a proxy that is somebody else's. */
export type Carrier = Pick<Carried<Any, Any, Any>, "set" | "remove" | "apply" | "setPlan"> & {
  readonly engine: { cleanup(signal: AbortSignal): Promise<void> };
};

/** What the parts of the table share: the network, the engine under test and what its run has shown. */
export interface Table {
  readonly subject: Subject<Any, Any, Any>;
  readonly abilities: EngineAbilities;
  readonly matrix: Matrix;
  /** Waits and counts are multiplied by it: for machines that are slow on purpose. */
  readonly scale: number;
  /** Rows that are not asked for, by what their name begins with. */
  readonly leaves?: readonly string[];
  network(): Network;
  /** The engine on a node that is set up like this; what it carried before is forgotten, as after a restart. */
  carry(change?: Partial<NodePlan>, zone?: string): Carrier;
}

const objectsOf = (key: string, one: Case): Parameters<Carried<Any, Any, Any>["set"]> => {
  const name = key.toLowerCase();
  const made = service(name, one.number, one.spec);
  return [
    { ...made, ...(one.status ? { status: one.status } : {}) },
    one.slices?.(name) ?? slices(name, one.pods ?? []),
  ];
};

/** The number that a row's name begins with. */
export const statementOf = (name: string): string => /^PRX-\d+/.exec(name)?.[0] ?? name;

/** The name of a row without its statements: what an engine does instead proves none of them. */
const bare = (name: string): string => name.replace(/^[^:]*: /, "");

function rowTest(table: Table, row: Row, number: number): void {
  const { subject, abilities } = table;
  const judged = judge(row, abilities, subject);
  const whole = judged.cells.every(({ instead }) => !instead);
  const some = judged.cells.some(({ instead }) => !instead);
  const instead = `what happens instead of “${bare(row.name)}” (${judged.reasons.join("; ")})`;
  const name = whole ? row.name : some ? `${row.name}, and ${instead}` : instead;
  test(`${subject.name}: ${name}`, async () => {
    const results = await look(table.network(), number, judged, table.scale);
    const good = (one: (typeof results)[number]): boolean => String(one.seen) === String(one.wanted);
    for (const one of results) {
      const outcome = !good(one) ? "failed" : one.instead ? "instead" : "ok";
      table.matrix.note(row.name, one.cell.family, one.cell.protocol, outcome, judged.reasons.join("; "));
    }
    const text = ({ cell }: (typeof results)[number]): string => `${cell.from} ${cell.protocol} ${cell.family}`;
    deepEqual(
      Object.fromEntries(results.map((one) => [text(one), one.seen])),
      Object.fromEntries(results.map((one) => [text(one), one.wanted])),
    );
  });
}

/** The rows of a group, many at a time on one set-up. */
export function groupTests(table: Table, group: Group): void {
  describe(`${table.subject.name}: ${group.title}`, { concurrency: 6 }, () => {
    before(async () => {
      await group.prepare?.(table.network());
      const carried = table.carry(group.node, group.zone);
      if (group.fresh === true) await carried.engine.cleanup(new AbortController().signal);
      for (const [key, one] of Object.entries(group.cases)) carried.set(...objectsOf(key, one));
      await carried.apply();
      if (group.removed === undefined) return;
      for (const key of group.removed) carried.remove(...objectsOf(key, group.cases[key]!));
      await carried.apply();
    });
    const asked = group.rows.filter(({ name }) => table.leaves?.some((words) => name.startsWith(words)) !== true);
    for (const row of asked) rowTest(table, row, group.cases[row.service]!.number);
  });
}

/**
 * A test with its own way of looking. `needs` names an ability: an engine without it gets a test of `instead`, or a skipped one with
 * the reason where what happens instead is in another row; so does one with an exception of its own.
 */
export function ownTest(
  table: Table,
  name: string,
  needs: Parameters<typeof lack>[1] | undefined,
  run: () => Promise<void>,
  instead?: { readonly name: string; run(): Promise<void> },
): void {
  const exception = table.subject.exceptions?.[statementOf(name)]?.why;
  const missing = needs === undefined ? undefined : lack(table.abilities, needs);
  const why = missing === undefined ? exception : `${needs}: ${missing}`;
  const note = (outcome: "ok" | "failed" | "instead" | "skipped"): void =>
    table.matrix.note(name, "", "", outcome, why);
  const noted = (good: "ok" | "instead", what: () => Promise<void>) => async (): Promise<void> => {
    note("failed");
    await what();
    note(good);
  };
  if (why === undefined) test(`${table.subject.name}: ${name}`, noted("ok", run));
  else if (instead !== undefined) {
    test(
      `${table.subject.name}: ${instead.name} (${why})`,
      noted("instead", () => instead.run()),
    );
  } else {
    note("skipped");
    test(`${table.subject.name}: ${bare(name)}`, { skip: why }, () => {});
  }
}

export const openTable = <P, F, A>(
  subject: Subject<P, F, A>,
  rest: Pick<Table, "matrix" | "scale" | "network">,
): Table & { close(): Promise<void> } => {
  const opened: ProxyEngine<P, F, A>[] = [];
  let current: ProxyEngine<P, F, A> | undefined;
  return {
    ...rest,
    subject: subject as unknown as Table["subject"],
    // Abilities are data, and tests are named before there is a network.
    abilities: subject.open(systemHost()).abilities,
    carry(change, zone) {
      if (current === undefined) opened.push((current = subject.open(rest.network().at("node"))));
      return new Carried(current, nodePlan(change), zone);
    },
    async close() {
      for (const one of opened) await one.close();
    },
  };
};
