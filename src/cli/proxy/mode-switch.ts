import type { Log } from "../../observe/log.ts";
import type { Clock } from "../../observe/clock.ts";
import type { Carrying } from "../../proxy/carrying.ts";
import type { AnyEngine, ProxyMode } from "../../proxy/engine.ts";
import type { Surroundings } from "../../proxy/surroundings.ts";
import { holdTranslation } from "../../proxy/translation.ts";
import { chooseEngine, cleanOtherEngines, type Chosen, type EngineGround } from "../proxy-engines.ts";

type Wish = "auto" | ProxyMode;

/** Milliseconds in which a new mode must carry, or the old one is kept. */
const PATIENCE = 60_000;
/** Milliseconds in which connections through processes of the old mode may end by themselves; those of the kernel go on in any case. */
const GRACE: Readonly<Partial<Record<ProxyMode, number>>> = { userspace: 10_000 };
const CLEAN_WITHIN = 60_000;

export interface ModeSwitchOptions {
  readonly ground: EngineGround;
  readonly around: Surroundings;
  readonly clock: Clock;
  readonly log: Log;
  /** Who carries first. */
  readonly first: Chosen;
  /** Another mode may have left something here before us. */
  readonly leftovers: boolean;
  /** What was wished when the first was chosen. */
  readonly wish: Wish;
  carry(engine: AnyEngine): Promise<Carrying>;
  /** This one carries now. */
  onMode(mode: ProxyMode): void;
}

/** The mode that carries, and the way to another one without a failed request. */
export interface ModeSwitch {
  readonly ready: Promise<void>;
  /** Addresses of the machine are others now. */
  refresh(): void;
  /** Makes this mode carry, unless it does; one after the other. Never rejects: what cannot be done is told, and the old one goes on. */
  to(wish: Wish): Promise<void>;
  /** Ends; rules stay. */
  stop(): Promise<void>;
  /** Ends and takes all rules away. */
  remove(): Promise<void>;
}

interface Current {
  readonly engine: AnyEngine;
  readonly carrying: Carrying;
}

export async function startModeSwitch(options: ModeSwitchOptions): Promise<ModeSwitch> {
  const { ground, around, clock, log } = options;
  const stopping = new AbortController();
  const pause = (milliseconds: number): Promise<void> =>
    new Promise((resolve) => {
      const end = (): void => (cancel(), stopping.signal.removeEventListener("abort", end), resolve());
      const cancel = clock.after(stopping.signal.aborted ? 0 : milliseconds, end);
      stopping.signal.addEventListener("abort", end);
    });

  const take = async ({ engine, passedOver }: Chosen): Promise<Current> => {
    log.info({ mode: engine.name, passedOver }, `the proxy mode is ${engine.name}`);
    // Else connections that it begins would be unknown to the mode that comes after it, and refused as strangers.
    if (engine.name === "userspace")
      await holdTranslation(ground.host, AbortSignal.timeout(CLEAN_WITHIN)).catch(() => {});
    return { engine, carrying: await options.carry(engine) };
  };
  const carries = ({ engine, carrying }: Current): void => {
    around.carrying = { mode: engine.name, proxy: carrying };
    options.onMode(engine.name);
  };
  // What an earlier run of another mode left goes only when ours carries.
  const clean = async (kept: ProxyMode): Promise<void> => {
    try {
      await cleanOtherEngines(kept, ground, AbortSignal.any([stopping.signal, AbortSignal.timeout(CLEAN_WITHIN)]));
    } catch (error) {
      if (stopping.signal.aborted) return;
      around.figures.cleanupFailed("nftables");
      log.warn({ error: (error as Error).message }, "what another proxy mode left could not be taken away");
    }
  };

  let current = await take(options.first);
  carries(current);
  let turn = Promise.resolve();
  const { engine: first, carrying } = current;
  void carrying.ready.then(() => {
    if (!options.leftovers) return;
    turn = turn.then(() => (current.engine === first && !stopping.signal.aborted ? clean(first.name) : undefined));
  });

  let { wish: lastWish } = options;
  const change = async (wish: Wish): Promise<void> => {
    if (stopping.signal.aborted || wish === lastWish) return;
    lastWish = wish;
    const old = current;
    if (wish === old.engine.name) return;
    let next: Current | undefined;
    try {
      const chosen = await chooseEngine(wish, ground);
      if (chosen.engine.name === old.engine.name) return await chosen.engine.close();
      next = await take(chosen);
      const isReady = await Promise.race([next.carrying.ready.then(() => true), pause(PATIENCE).then(() => false)]);
      if (stopping.signal.aborted) return await next.carrying.stop();
      if (!isReady) throw new Error(`its rules were not written within ${PATIENCE / 1000} s; see the log`);
    } catch (error) {
      const complaint = `switching the proxy mode from ${old.engine.name} to ${wish}: ${(error as Error).message}; ${old.engine.name} is kept`;
      log.error({ wish }, complaint);
      around.tell("Warning", "ProxyModeNotSwitched", complaint);
      await next?.carrying.stop();
      return clean(old.engine.name);
    }
    current = next;
    carries(next);
    around.tell("Normal", "ProxyModeSwitched", `the proxy mode is ${next.engine.name}; it was ${old.engine.name}`);
    await pause(GRACE[old.engine.name] ?? 0);
    await old.carrying.stop();
    if (!stopping.signal.aborted) await clean(next.engine.name);
  };

  const stop = async (): Promise<void> => {
    stopping.abort();
    await turn;
    await current.carrying.stop();
  };
  return {
    ready: carrying.ready,
    refresh: () => current.carrying.refresh(),
    to: (wish) => (turn = turn.then(() => change(wish))),
    stop,
    async remove() {
      await stop();
      await cleanOtherEngines(undefined, ground, AbortSignal.timeout(CLEAN_WITHIN));
    },
  };
}
