import { createServer, type AddressInfo } from "node:net";
import { once } from "node:events";
import type { Exchange } from "../../../src/ingress/access-log.ts";
import type { EngineGround, IngressEngine, IngressEngineName, Listener } from "../../../src/ingress/engine.ts";
import type { IngressPlan } from "../../../src/ingress/plan/plan.ts";
import type { Place } from "./clients.ts";

/** An engine that the suite runs on. */
export interface EngineSubject {
  readonly name: IngressEngineName;
  /** Why it cannot be had here; undefined: it can. */
  readonly missing?: string | undefined;
  /** It refuses a PROXY protocol header that does not come at once. */
  readonly wantsProxyHeaderWhole?: boolean;
  /** Shapes of bytes that the engine reads in one way of its own, as the RFC lets it, and says in that way to pods; with that way. */
  readonly ownReadings?: ReadonlyMap<string, string>;
  create(ground: EngineGround): Promise<IngressEngine>;
}

/** An engine that listens on loopback. */
export interface Door {
  readonly engine: IngressEngine;
  readonly plain: Place;
  readonly secure: Place;
  /** Connections begin with PROXY protocol. */
  readonly proxied: Place;
  readonly proxiedSecure: Place;
  /** What ended so far. */
  readonly log: readonly Exchange[];
  /** Carries a plan; the first one opens it. */
  carry(plan: IngressPlan): Promise<void>;
  stop(drain?: number): Promise<void>;
}

/** What clients at these addresses say in X-Forwarded-* is believed. */
export const TRUSTED_CLIENT = "127.0.99.1";
const TRUST = ["127.0.99.0/24"];

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, "127.0.0.1");
      await once(server, "listening");
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map(async (server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** An engine on four free ports; nobody is answered before the first plan. */
export async function openDoor(subject: EngineSubject): Promise<Door> {
  const [plain, secure, proxied, proxiedSecure] = await freePorts(4);
  const listener = (port: number | undefined, tls: boolean, proxyProtocol: boolean): Listener => ({
    address: "127.0.0.1",
    port: port!,
    tls,
    proxyProtocol,
  });
  const listeners = [
    listener(plain, false, false),
    listener(secure, true, false),
    listener(proxied, false, true),
    listener(proxiedSecure, true, true),
  ] as const;
  const log: Exchange[] = [];
  const engine = await subject.create({
    listeners,
    trust: { from: TRUST },
    accessLog: (exchange) => void log.push(exchange),
  });
  let failure: Error | undefined;
  engine.failed.catch((error: unknown) => (failure = error as Error));
  return {
    engine,
    plain: listeners[0],
    secure: listeners[1],
    proxied: listeners[2],
    proxiedSecure: listeners[3],
    log,
    async carry(plan) {
      if (failure !== undefined) throw failure;
      try {
        await engine.apply(plan);
      } catch (error) {
        if (engine.listening.length === 0) await engine.stop(0);
        throw error;
      }
    },
    stop: async (drain = 0) => engine.stop(drain),
  };
}
