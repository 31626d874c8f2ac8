import { connect, type Socket } from "node:net";
import { once } from "node:events";
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from "node:tls";
import type { Exchange } from "../../../src/ingress/access-log.ts";
import type { Listener } from "../../../src/ingress/engine.ts";
import {
  createBuiltinEngine,
  type BuiltinEngine,
  type BuiltinGround,
} from "../../../src/ingress/engines/builtin/builtin.ts";
import type { Certificate, IngressPlan } from "../../../src/ingress/plan/plan.ts";
import { systemClock } from "../../../src/observe/clock.ts";
import { silentLog } from "../../../src/observe/log.ts";
import { planFor, type DoorChoices } from "../exchange-door.ts";
import { createCertificate } from "../lab/certificates.ts";

const plain: Listener = { address: "127.0.0.1", port: 0, tls: false, proxyProtocol: false };

export const certificate = async (secret: string, ...names: string[]): Promise<Certificate> => {
  const { certificate: chain, key } = await createCertificate(names);
  return { secret, chain, key };
};

export const planWith = (
  choices: DoorChoices,
  certificates: Readonly<Record<string, Certificate>> = {},
): IngressPlan => ({ ...planFor(choices), certificates: new Map(Object.entries(certificates)) });

/** The built-in engine on loopback. */
export interface Stand {
  readonly engine: BuiltinEngine;
  readonly log: Exchange[];
  /** By the order of the listeners. */
  port(listener: number): number;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function stand(plan: IngressPlan, ground: Partial<BuiltinGround> = {}): Promise<Stand> {
  const log: Exchange[] = [];
  const engine = createBuiltinEngine({
    listeners: [plain, { ...plain, tls: true }],
    trust: { from: [] },
    accessLog: (exchange) => void log.push(exchange),
    clock: systemClock,
    random: Math.random,
    log: silentLog,
    ...ground,
  });
  await engine.apply(plan);
  return {
    engine,
    log,
    port: (listener) => engine.listening[listener]!.port,
    [Symbol.asyncDispose]: async () => engine.stop(0),
  };
}

export async function dial(port: number, host = "127.0.0.1"): Promise<Socket> {
  const socket = connect({ port, host, allowHalfOpen: true });
  await once(socket, "connect");
  return socket;
}

/** Certificates are looked at, not checked. */
export async function dialTls(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false, ...options });
  await once(socket, "secureConnect");
  return socket;
}

/** All that comes until the other side ends. */
export async function readAll(socket: Socket): Promise<string> {
  let text = "";
  socket.on("data", (chunk) => (text += chunk.toString("latin1")));
  socket.on("error", () => {});
  if (!socket.readableEnded && !socket.destroyed) await Promise.race([once(socket, "end"), once(socket, "close")]);
  return text;
}
