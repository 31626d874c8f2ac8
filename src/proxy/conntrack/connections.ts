import { openConntrack, type Conntrack } from "../../host/conntrack/conntrack.ts";
import type { FlowEvents } from "../../host/conntrack/events.ts";
import type { Host } from "../../host/host.ts";
import { Routes } from "../../host/routes.ts";
import type { IPFamily } from "../../net/ip.ts";
import type { Clock } from "../../observe/clock.ts";
import type { Log } from "../../observe/log.ts";
import type { ProxyMode } from "../engine.ts";
import { takesConnection } from "../penalty/ask.ts";
import { penalties, type Penalties } from "../penalty/penalties.ts";
import type { Aftermath, Proxy } from "../proxy.ts";
import type { Surroundings } from "../surroundings.ts";
import { asService } from "../telling.ts";
import { closeRemoved } from "./close-removed.ts";
import { closer } from "./closer.ts";
import { conntrackMetrics } from "./metrics.ts";
import { watchRoom } from "./table-room.ts";
import { udpFlows } from "./udp-flows.ts";

/** What is done about connections beside writing rules, whatever engine carries; outlives a change of engines. */
export interface Connections extends Pick<Penalties, "isPenalized" | "failed" | "answered"> {
  /** Those who act on connections after the rules of one proxy are written. */
  aftermaths(mode: ProxyMode): readonly Aftermath[];
  /** A proxy whose Services are planned again when endpoints are left out or let in; the answer ends that. */
  join(proxy: Pick<Proxy, "replan" | "service">): () => void;
  stop(): Promise<void>;
}

export interface ConnectionsOptions {
  readonly host: Host;
  readonly families: readonly IPFamily[];
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly around: Pick<Surroundings, "figures" | "recorder" | "tell">;
}

/** Never throws: where the kernel's connection tracking cannot be had, that is said on the Node and the rest goes on. */
export async function openConnections(options: ConnectionsOptions): Promise<Connections> {
  const { host, families, clock, random, log, around } = options;
  const { figures, recorder } = around;
  const proxies = new Set<Pick<Proxy, "replan" | "service">>();
  let conntrack: Conntrack | undefined;
  let events: FlowEvents | undefined;
  let routes: Routes | undefined;
  try {
    conntrack = await openConntrack(host);
    events = conntrack.events();
    routes = new Routes(conntrack.network);
  } catch (error) {
    const lost =
      "UDP flows to endpoints that are gone end by themselves only, and endpoints that do not answer are not left out";
    const complaint = `${(error as Error).message}: ${lost}`;
    log.warn({}, complaint);
    around.tell("Warning", "ConntrackNotAvailable", complaint);
  }
  const tell = (keys: readonly string[], type: "Normal" | "Warning", reason: string, message: string): void => {
    for (const key of keys) {
      const [service] = [...proxies].map((proxy) => proxy.service(key)).filter((one) => one !== undefined);
      if (service !== undefined) recorder.event(asService(service), type, reason, message);
    }
  };
  const box = penalties({
    clock,
    log,
    metrics: figures.metrics,
    events,
    routes,
    ask: (endpoint) => takesConnection(conntrack?.network, endpoint, clock),
    replan: (services) => proxies.forEach((proxy) => proxy.replan(services)),
    tell,
  });
  const ofBox: Aftermath = { applied: (round) => box.applied(round), stop: async () => {} };
  const rest: Pick<Penalties, "isPenalized" | "failed" | "answered"> = box;
  const join: Connections["join"] = (proxy) => {
    proxies.add(proxy);
    return () => void proxies.delete(proxy);
  };
  if (conntrack === undefined) return { ...rest, join, aftermaths: () => [ofBox], stop: () => box.stop() };

  const tracked = conntrack;
  const usage = (): ReturnType<Conntrack["usage"]> => tracked.usage();
  const metrics = conntrackMetrics(figures.metrics, families, usage);
  const room = watchRoom({ usage, clock, log, tell: around.tell });
  const closes = closer({ host, conntrack, clock, random });
  return {
    ...rest,
    join,
    aftermaths: (mode) => [
      ofBox,
      udpFlows({ conntrack: tracked, clock, log, metrics, answersItself: mode === "userspace" }),
      closeRemoved({ conntrack: tracked, closer: closes, clock, log, tell }),
    ],
    async stop() {
      room.stop();
      await box.stop();
      await closes.stop();
      routes?.close();
      tracked.close();
    },
  };
}
