import { deepEqual, equal } from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { Clock } from "../observe/clock.ts";
import { silentLog } from "../observe/log.ts";
import type { ProxyEngine } from "./engine.ts";
import { startLoop, type Loop, type Timing } from "./loop.ts";
import type { NodePlan, ServicePlan } from "./plan/plan.ts";

/** A clock that goes on when it is told to. */
function handClock(): Clock & { pass(milliseconds: number): Promise<void> } {
  let now = 0;
  let timers: { at: number; act: () => void }[] = [];
  return {
    now: () => now,
    after(milliseconds, act) {
      const timer = { at: now + milliseconds, act };
      timers.push(timer);
      return () => void (timers = timers.filter((one) => one !== timer));
    },
    async pass(milliseconds) {
      now += milliseconds;
      const due = timers.filter(({ at }) => at <= now);
      timers = timers.filter(({ at }) => at > now);
      for (const { act } of due) act();
      await settled();
    },
  };
}
/** Everything that can happen without time passing has happened. */
const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
};

interface Setup {
  readonly loop: Loop;
  readonly clock: ReturnType<typeof handClock>;
  readonly rounds: ("full" | "part")[];
  readonly faults: { count: number };
  readonly said: string[];
}

function setup(context: TestContext, timing?: Timing): Setup {
  const clock = handClock();
  const rounds: ("full" | "part")[] = [];
  const faults = { count: 0 };
  const said: string[] = [];
  const node = {} as NodePlan;
  const engine = {
    name: "nftables",
    compileNode: () => 0,
    compile: () => 0,
    read: async () => 1,
    intact: async () => true,
    async apply({ changed }: { readonly changed?: ReadonlySet<string> | undefined }) {
      rounds.push(changed === undefined ? "full" : "part");
      if (faults.count-- > 0) throw new Error("no");
      return 1;
    },
    close: async () => {},
    figures: (was: number) => [{ type: "gauge", name: "of_engine", help: "", labels: {}, value: was }],
  } as unknown as ProxyEngine<number, number, number>;
  const loop = startLoop({
    engine,
    clock,
    random: () => 0,
    log: silentLog,
    collect: () => ({ plans: new Map<string, ServicePlan>(), node }),
    applied: ({ full }) => void said.push(`applied ${full}`),
    disturbed: () => {},
    failed: ({ full }) => void said.push(`failed ${full}`),
    measured: ({ full }) => void said.push(`measured ${full}`),
    ...(timing === undefined ? {} : { timing }),
  });
  context.after(() => loop.stop());
  return { loop, clock, rounds, faults, said };
}

test("PRX-210: without a minSyncPeriod a change is a round at once; changes of one moment are one", async (context) => {
  const { loop, rounds } = setup(context);
  for (let change = 0; change < 5; change++) loop.wake();
  await settled();
  equal(rounds.length, 1);
  loop.wake();
  await settled();
  equal(rounds.length, 2);
});

test("PRX-210: with one, rounds are that far apart, and what changed meanwhile is one round", async (context) => {
  const { loop, clock, rounds } = setup(context, { syncPeriod: 30_000, minSyncPeriod: 1000 });
  loop.wake();
  await settled();
  loop.wake();
  await clock.pass(999);
  loop.wake();
  await settled();
  equal(rounds.length, 1);
  await clock.pass(1);
  equal(rounds.length, 2);
  await clock.pass(2000);
  equal(rounds.length, 2, "nothing more is due");
});

test("PRX-211: a failed round is tried again whole, within syncPeriod however often it failed", async (context) => {
  const { loop, clock, rounds, faults, said } = setup(context, { syncPeriod: 2000, minSyncPeriod: 0 });
  loop.wake();
  await settled();
  faults.count = 10;
  loop.wake();
  await settled();
  for (let pause = 0; pause < 10; pause++) await clock.pass(2000);
  equal(rounds.length, 12);
  deepEqual(new Set(rounds.slice(2)), new Set(["full"]));
  deepEqual(said.slice(0, 3), ["measured true", "applied true", "failed false"]);
});

test("PRX-212: once an hour everything is compared, though nothing changed", async (context) => {
  const { loop, clock, rounds } = setup(context);
  loop.wake();
  await settled();
  loop.wake();
  await settled();
  deepEqual(rounds, ["full", "part"]);
  await clock.pass(3_600_000);
  equal(rounds.at(-1), "full");
});

test("an engine's own figures are asked for what is applied", async (context) => {
  const { loop } = setup(context);
  deepEqual(loop.figures(), []);
  loop.wake();
  await settled();
  equal(loop.figures()[0]?.value, 1);
});
