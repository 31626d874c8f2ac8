import type { Host } from "../host/host.ts";
import type { IPFamily } from "../net/ip.ts";
import type { Clock } from "../observe/clock.ts";
import type { Log } from "../observe/log.ts";
import type { AnyEngine, ProxyMode } from "../proxy/engine.ts";

/** What an engine is made from. */
export interface EngineGround {
  readonly host: Host;
  readonly families: readonly IPFamily[];
  readonly clock: Clock;
  /** From 0 up to, but not including, 1. */
  readonly random: () => number;
  readonly log: Log;
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
    return ({ host, families }) => iptablesEngine(host, families);
  },
  userspace: async () => {
    const { userspaceEngine } = await import("../proxy/engines/userspace/engine.ts");
    return ({ host, log }) => userspaceEngine(host, { log });
  },
  // Last: only who asks for it gets it.
  ipvs: async () => {
    const { ipvsEngine } = await import("../proxy/engines/ipvs/engine.ts");
    return ({ host, clock, families }) => ipvsEngine(host, clock, families);
  },
};

/** The engine of this name. */
export async function openEngine(mode: ProxyMode, ground: EngineGround): Promise<AnyEngine> {
  const load = PROXY_ENGINES[mode];
  if (load === undefined) throw new Error(`opening the proxy engine ${mode}: there is none of this name`);
  return (await load())(ground);
}

/** Takes away what engines other than `kept` have left on this machine (PRX-170). */
export async function cleanOtherEngines(
  kept: ProxyMode | undefined,
  ground: EngineGround,
  signal: AbortSignal,
): Promise<void> {
  for (const mode of Object.keys(PROXY_ENGINES) as ProxyMode[]) {
    if (mode === kept) continue;
    const engine = await openEngine(mode, ground);
    await engine.cleanup(signal);
    await engine.close();
  }
}
