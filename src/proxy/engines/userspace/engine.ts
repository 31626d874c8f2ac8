import type { Host } from "../../../host/host.ts";
import { silentLog, type Log } from "../../../observe/log.ts";
import type { EngineAbilities, ProxyEngine, Support } from "../../engine.ts";
import { apply } from "./apply.ts";
import type { Refused } from "./carrier/carried.ts";
import { carrierProcess, raiseOpenFiles, type CarrierLink } from "./carrier-process.ts";
import { compile, type UserspacePart } from "./compile.ts";
import { sentenceOf } from "./complaints.ts";
import { compileNode, type UserspaceFrame } from "./frame.ts";
import { readRoutes, removeLink } from "./routes.ts";
import { nothingCarried, type UserspaceState } from "./state.ts";

const USERSPACE_ABILITIES: EngineAbilities = {
  udp: true,
  sctp: { not: "Node has no sockets for SCTP" },
  clientSourceAddress: { not: "the pod is called by the proxy, from the node's address" },
  refusalWithoutEndpoints: true,
  dropWithoutLocalEndpoints: true,
  refusalOfWrongPorts: true,
  dropOfUnassignedAddresses: true,
  dropOutsideSourceRanges: true,
  shortCircuits: true,
  sessionAffinity: true,
  affinityAcrossAddresses: true,
  loopbackNodePorts: true,
  loopbackNodePortsIPv6: true,
  retry: true,
  weights: true,
  portRanges: true,
  balance: { random: true, "round-robin": true, "least-connections": true, maglev: true, "source-hash": true },
};

/**
 * Milliseconds without a datagram after which a flow ends. kube-proxy's 250 ms lose the answer of a slow server; the kernel's
 * connection tracking waits 30 s, which would be a socket for each of a resolver's questions for that long.
 */
const UDP_IDLE_TIMEOUT = 10_000;

export interface UserspaceOptions {
  readonly log?: Log;
  /** Milliseconds. */
  readonly udpIdleTimeout?: number;
}

export type UserspaceEngine = ProxyEngine<UserspacePart, UserspaceFrame, UserspaceState>;

async function supported(): Promise<Support> {
  if (process.getBuiltinModule("node:ffi") !== undefined) return { supported: true };
  return {
    supported: false,
    missing: `Node ${process.versions.node} cannot make sockets for addresses that only a route gives: Node 26 with node:ffi can`,
  };
}

/** Service traffic carried by sockets of a process of our own: see README.md. */
export function userspaceEngine(host: Host, options: UserspaceOptions = {}): UserspaceEngine {
  const { log = silentLog, udpIdleTimeout = UDP_IDLE_TIMEOUT } = options;
  let carrier: CarrierLink | undefined;
  let state: UserspaceState | undefined;
  let told = new Set<string>();

  /** Each fault is said once, when it comes. */
  const tell = (refused: readonly Refused[]): void => {
    const sentences = new Set(refused.map(sentenceOf));
    for (const sentence of sentences) if (!told.has(sentence)) log.warn({}, sentence);
    told = sentences;
    if (state !== undefined) state.refused = refused;
  };
  const running = async (): Promise<CarrierLink> => {
    if (carrier?.isAlive === true) return carrier;
    const started = await carrierProcess(host, { udpIdleTimeout, onRefused: tell });
    carrier = started;
    const openFiles = await raiseOpenFiles(host, started.pid).catch(() => undefined);
    log.info({ pid: started.pid, openFiles }, "the carrier process runs");
    return started;
  };
  return {
    name: "userspace",
    abilities: USERSPACE_ABILITIES,
    supported,
    compileNode,
    compile,
    async read(signal) {
      state = nothingCarried(await readRoutes(host, signal).catch(() => new Set<string>()));
      return state;
    },
    async apply(next, was, signal) {
      const now = await apply({ host, log, carrier: running }, next, was, signal);
      tell(now.refused);
      return now;
    },
    async intact(was, signal) {
      if (was.carrier?.isAlive !== true) return false;
      if (was.isPermitted !== true) return true;
      const held = await readRoutes(host, signal);
      return was.held.size === held.size && [...was.held].every((one) => held.has(one));
    },
    async cleanup() {
      await removeLink(host);
    },
    complaints: (key) => [
      ...(state?.parts.get(key)?.complaints ?? []),
      ...(state?.refused ?? []).filter(({ service }) => service === key).map(sentenceOf),
    ],
    async close() {
      await carrier?.close();
      carrier = undefined;
    },
  };
}
