import type { Host } from "../host/host.ts";
import type { IPFamily } from "../net/ip.ts";
import type { Clock } from "../observe/clock.ts";
import type { Log } from "../observe/log.ts";
import type { AnyEngine, ProxyMode } from "../proxy/engine.ts";
import type { IptablesOptions } from "../proxy/engines/iptables/engine.ts";
import type { IpvsOptions } from "../proxy/engines/ipvs/options.ts";
import { Failure } from "./failure.ts";

/** What an engine is made from. */
export interface EngineGround {
  readonly host: Host;
  readonly families: readonly IPFamily[];
  readonly clock: Clock;
  /** From 0 up to, but not including, 1. */
  readonly random: () => number;
  readonly log: Log;
  /** What only one mode knows; as usual where nothing is said. */
  readonly iptables?: IptablesOptions;
  readonly ipvs?: IpvsOptions;
}

type OpenEngine = (ground: EngineGround) => AnyEngine;

/** The engines there are, in the order in which `auto` tries them. Each is loaded only when it is opened. */
export const PROXY_ENGINES: { readonly [mode in ProxyMode]?: () => Promise<OpenEngine> } = {
  nftables: async () => {
    const { nftablesEngine } = await import("../proxy/engines/nftables/engine.ts");
    return ({ host, families }) => nftablesEngine(host, families);
  },
  iptables: async () => {
    const { iptablesEngine } = await import("../proxy/engines/iptables/engine.ts");
    return ({ host, families, iptables }) => iptablesEngine(host, families, iptables);
  },
  userspace: async () => {
    const { userspaceEngine } = await import("../proxy/engines/userspace/engine.ts");
    return ({ host, log }) => userspaceEngine(host, { log });
  },
  // Last: only who asks for it gets it.
  ipvs: async () => {
    const { ipvsEngine } = await import("../proxy/engines/ipvs/engine.ts");
    return ({ host, clock, families, ipvs }) => ipvsEngine(host, clock, families, ipvs);
  },
};

/** The engine of this name. */
export async function openEngine(mode: ProxyMode, ground: EngineGround): Promise<AnyEngine> {
  const load = PROXY_ENGINES[mode];
  if (load === undefined) throw new Error(`opening the proxy engine ${mode}: there is none of this name`);
  return (await load())(ground);
}

/** Modes that `auto` may choose, the best first. IPVS is for who asks for it: it takes addresses of the machine for itself. */
const AUTOMATIC: readonly ProxyMode[] = ["nftables", "iptables", "userspace"];

/** An engine that can run here. */
export interface Chosen {
  readonly engine: AnyEngine;
  /** Why those that come before it do not, each a sentence. */
  readonly passedOver: readonly string[];
}

/** The engine of this name, or the first that can run here. Throws Failure with what each lacks. */
export async function chooseEngine(wish: "auto" | ProxyMode, ground: EngineGround): Promise<Chosen> {
  const modes = (wish === "auto" ? AUTOMATIC : [wish]).filter((mode) => PROXY_ENGINES[mode] !== undefined);
  const passedOver: string[] = [];
  for (const mode of modes) {
    const engine = await openEngine(mode, ground);
    const support = await engine.supported();
    if (support.supported) return { engine, passedOver };
    passedOver.push(`${mode}: ${support.missing}`);
    await engine.close();
  }
  throw new Failure(
    wish === "auto"
      ? `choosing a proxy mode: none can run here; ${passedOver.join("; ")}`
      : `starting the proxy in mode ${wish}: ${passedOver[0]?.slice(wish.length + 2) ?? "there is none of this name"}`,
  );
}

/**
 * Takes away what engines other than `kept` have left on this machine (PRX-170); all of them, where none is kept (PRX-268). Connections
 * that they began go on.
 */
export async function cleanOtherEngines(
  kept: ProxyMode | undefined,
  ground: EngineGround,
  signal: AbortSignal,
): Promise<void> {
  const { holdTranslation, releaseTranslation } = await import("../proxy/translation.ts");
  // Before the last nat chain goes: who has no nat chain of its own would leave connections under way untranslated.
  if (kept === "userspace" || kept === "ipvs") await holdTranslation(ground.host, signal);
  const failures: string[] = [];
  for (const mode of Object.keys(PROXY_ENGINES) as ProxyMode[]) {
    if (mode === kept) continue;
    const engine = await openEngine(mode, ground);
    await engine.cleanup(signal).catch((error: unknown) => void failures.push(`${mode}: ${(error as Error).message}`));
    await engine.close();
  }
  if (kept !== "userspace" && kept !== "ipvs") await releaseTranslation(ground.host, signal);
  if (failures.length > 0) throw new Error(`taking away what other proxy modes left: ${failures.join("; ")}`);
}
