import type { Host } from "../../host/host.ts";
import {
  endHolder,
  holdSockets,
  SocketNotHad,
  takeHeld,
  type HeldAddress,
  type OpenSocket,
} from "../../host/held-sockets.ts";
import { LibcError } from "../../host/libc.ts";
import { takenBy } from "../../host/port-holder.ts";
import { isRunning } from "../../host/process-identity.ts";
import type { Log } from "../../observe/log.ts";
import { Failure } from "../failure.ts";
import { NOTHING_MADE, readMade, writeMade } from "./made.ts";

const EADDRINUSE = 98;
const EACCES = 13;
/** Errors of a machine without that family: EAFNOSUPPORT, EADDRNOTAVAIL. */
const NO_FAMILY: readonly number[] = [97, 99];

/** Ports that are tried, the one that clients expect first. */
const CANDIDATES = { http: [80, 8080, 18_080, 28_080], https: [443, 8443, 18_443, 28_443] } as const;
const WILDCARDS = ["0.0.0.0", "::"] as const;

/** Where Ingress is served on this machine. */
export interface DoorSockets {
  readonly http: number;
  readonly https: number;
  /** Undefined where this kernel lets nobody hold them: the door makes its own. */
  readonly sockets: readonly OpenSocket[] | undefined;
  /** Why a port is not the one that clients expect, a sentence each. */
  readonly remarks: readonly string[];
}

const addressesOf = (http: number, https: number, families: readonly string[]): HeldAddress[] =>
  families.flatMap((ip) => [http, https].map((port): HeldAddress => ({ protocol: "TCP", ip, port })));

/** Those of an earlier Fairlead, with the connections that wait in them. */
async function takenOver(madePath: string, log: Log): Promise<DoorSockets | undefined> {
  const { doorHolder } = (await readMade(madePath)) ?? NOTHING_MADE;
  if (doorHolder === undefined) return undefined;
  const [http, https] = doorHolder.sockets.slice(0, 2);
  if (http !== undefined && https !== undefined && (await isRunning(doorHolder.process))) {
    try {
      return { http: http.port, https: https.port, sockets: takeHeld(doorHolder), remarks: [] };
    } catch (error) {
      if (!(error instanceof LibcError)) throw error;
      log.warn({ error: error.message }, "the sockets of Ingress cannot be taken over; who waits in them is refused");
    }
  }
  await endHolder(doorHolder);
  return undefined;
}

/**
 * The sockets that Ingress is served on: every address of this machine (or site), at 80 and 443 where those are free. A process that does
 * nothing else holds them open, so that they outlive a thread of ours, and us: who connects meanwhile waits. Throws Failure when no port is to be had.
 */
export async function doorSockets(host: Host, madePath: string, log: Log): Promise<DoorSockets> {
  const before = await takenOver(madePath, log);
  if (before !== undefined) return before;
  let families: readonly string[] = WILDCARDS;
  const remarks: string[] = [];
  const at = { http: 0, https: 0 };
  for (;;) {
    const [http, https] = [CANDIDATES.http[at.http], CANDIDATES.https[at.https]];
    if (http === undefined || https === undefined) {
      throw new Failure(`listening for Ingress: none of the ports tried is free: ${remarks.join("; ")}`);
    }
    try {
      const sockets = await holdSockets(host, addressesOf(http, https, families), async (doorHolder) => {
        await writeMade(madePath, { ...((await readMade(madePath)) ?? NOTHING_MADE), doorHolder });
      });
      return { http, https, sockets, remarks };
    } catch (error) {
      if (!(error instanceof SocketNotHad)) {
        if (!(error instanceof LibcError)) throw error;
        log.warn({ error: error.message }, "the sockets of Ingress cannot be held; a restart refuses who connects");
        return { http, https, sockets: undefined, remarks };
      }
      const { ip, port } = error.address;
      if (ip === "::" && NO_FAMILY.includes(error.errno)) {
        families = WILDCARDS.slice(0, 1);
        continue;
      }
      if (error.errno !== EADDRINUSE && error.errno !== EACCES) throw error;
      const which = port === http ? "http" : "https";
      const why =
        error.errno === EADDRINUSE ? await takenBy("TCP", ip, port) : "this user may not listen on ports below 1024";
      at[which] += 1;
      const next = CANDIDATES[which][at[which]];
      remarks.push(`port ${port}: ${why}${next === undefined ? "" : `; ${next} is tried`}`);
    }
  }
}
