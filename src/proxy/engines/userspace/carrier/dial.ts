import { connect, type Socket } from "node:net";
import type { CarriedTarget } from "./carried.ts";

/** Milliseconds that a target has to answer, in the first round and in those after it (PRX-149, PRX-194). */
const DIAL_TIMES = [250, 500, 1000, 2000] as const;

export interface Dialing {
  /** A target that is none of these; undefined when there is none left. */
  readonly next: (tried: ReadonlySet<CarriedTarget>) => CarriedTarget | undefined;
  /** The port to call, where it is not the target's own. */
  readonly port: number | undefined;
  /** Calls a target; `connect` of Node unless told. */
  readonly open?: (ip: string, port: number) => Socket;
  /** A target did not answer in time, or refused. */
  readonly failed: (target: CarriedTarget) => void;
}

export interface Dialed {
  readonly target: CarriedTarget;
  /** Connected and paused: no byte of it is read yet. */
  readonly socket: Socket;
}

const openSocket = (host: string, port: number): Socket =>
  connect({ host, port, allowHalfOpen: true, noDelay: true, autoSelectFamily: false });

type Failure = "refused" | "late";

function attempt(socket: Socket, milliseconds: number): Promise<Socket | Failure> {
  return new Promise((resolve) => {
    const done = (result: Socket | Failure): void => {
      clearTimeout(timer);
      socket.off("connect", connected).off("error", refused);
      // A late word of a socket that was given up must not end us.
      socket.on("error", () => {});
      if (typeof result === "string") socket.destroy();
      resolve(result);
    };
    const connected = (): void => done(socket.pause());
    const refused = (): void => done("refused");
    const timer = setTimeout(() => done("late"), milliseconds);
    socket.once("connect", connected).once("error", refused);
  });
}

/**
 * Finds somebody who answers. A refusal costs nothing, so the next is asked at once; each silence costs the round's time and begins
 * the next, longer round. Who was asked is asked again only when all have been. Each target is asked at most once a round; when all of a
 * round refuse, that is the answer: undefined.
 */
export async function dial({ next, port, open = openSocket, failed }: Dialing): Promise<Dialed | undefined> {
  const asked = new Set<CarriedTarget>();
  for (const milliseconds of DIAL_TIMES) {
    const inRound = new Set<CarriedTarget>();
    let wasLate = false;
    while (!wasLate) {
      let target = next(new Set([...asked, ...inRound]));
      if (target === undefined && asked.size > 0) {
        asked.clear();
        target = next(inRound);
      }
      if (target === undefined) break;
      inRound.add(target);
      const result = await attempt(open(target.ip, port ?? target.port), milliseconds);
      if (typeof result !== "string") return { target, socket: result };
      failed(target);
      wasLate = result === "late";
    }
    if (!wasLate) return undefined;
    for (const target of inRound) asked.add(target);
  }
  return undefined;
}
