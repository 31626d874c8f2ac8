import { readFile } from "node:fs/promises";

/** States of a socket in /proc/net/tcp, in hexadecimal (Linux `include/net/tcp_states.h`). */
const SYN_RECV = "03";
const LISTEN = "0A";

/**
 * Connections in a text of /proc/net/tcp or tcp6 that a client has begun and no program has accepted yet: those in the queue of a
 * listening socket, which its `rx_queue` counts, and those whose handshake is not over.
 */
export function waitingConnections(text: string): number {
  let waiting = 0;
  for (const line of text.split("\n").slice(1)) {
    const [, , , state, queues = ""] = line.trim().split(/\s+/);
    if (state === SYN_RECV) waiting += 1;
    if (state === LISTEN) waiting += Number.parseInt(queues.split(":")[1] ?? "0", 16) || 0;
  }
  return waiting;
}

/** The same, of both families, in the network namespace of a process; 0 where there is no such process any more. */
export async function connectionsWaitingAt(pid: number): Promise<number> {
  const texts = await Promise.all(
    ["tcp", "tcp6"].map((name) => readFile(`/proc/${pid}/net/${name}`, "utf8").catch(() => "")),
  );
  return texts.reduce((sum, text) => sum + waitingConnections(text), 0);
}
