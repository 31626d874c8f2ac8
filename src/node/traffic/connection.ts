import { connectIn } from "../../host/namespace-socket.ts";
import type { Clock } from "../../observe/clock.ts";
import { pause } from "../pods/pause.ts";
import { PATIENCE, type Fate } from "./dropped.ts";

/** Milliseconds until a refused connection is tried again: an endpoint may be a moment late. */
const AGAIN = 500;

export interface Connection {
  /** The path of the network namespace it is made in. */
  readonly namespace: string;
  readonly to: { readonly ip: string; readonly port: number };
  readonly clock: Clock;
  /** Ends it early, as silence. */
  readonly signal: AbortSignal;
}

function once({ namespace, to, clock, signal }: Connection, patience: number): Promise<Fate> {
  return new Promise((resolve) => {
    const socket = connectIn(namespace, to.ip, to.port);
    const end = (fate: Fate): void => {
      cancel();
      signal.removeEventListener("abort", silent);
      socket.destroy();
      resolve(fate);
    };
    const silent = (): void => end("silence");
    const cancel = clock.after(patience, silent);
    signal.addEventListener("abort", silent);
    socket.once("connect", () => end("answered"));
    // Whatever comes after the end changes nothing, but unheard it would end the thread.
    socket.on("error", ({ code }: NodeJS.ErrnoException) => {
      end(code === undefined || code === "ETIMEDOUT" ? "silence" : (code as Fate));
    });
  });
}

/** Makes one TCP connection and ends it at once: how that went. One that is refused has all of its time to be answered after all. */
export async function tryConnection(connection: Connection): Promise<Fate> {
  const { clock, signal } = connection;
  for (let left = PATIENCE; ; left -= AGAIN) {
    const fate = await once(connection, left);
    if (fate === "answered" || fate === "silence" || left <= AGAIN || signal.aborted) return fate;
    await pause(clock, AGAIN, signal);
  }
}
