import { closeSync, openSync, readlinkSync } from "node:fs";
import type { Host } from "./host.ts";
import { runsHere } from "./processes.ts";

/** The network namespace in which a host runs its programs, for calls that a program of its own would be too slow for. */
export interface HostNetwork {
  /** A path that leads to it while `close` was not called; undefined: it is this thread's own. */
  readonly path: string | undefined;
  close(): void;
}

/** Of another host than our own, finds out by a program that is started there and ends at once. */
export async function networkOf(host: Host): Promise<HostNetwork> {
  if (runsHere(host)) return { path: undefined, close: () => {} };
  const running = await host.open("cat", []);
  try {
    // Once it has answered it is where it belongs, whatever was between.
    const answered = new Promise((resolve) => running.stdout.once("data", resolve));
    running.stdin.write("\n");
    await Promise.race([
      answered,
      running.ended.then((code) => {
        throw new Error(`finding the network namespace of programs: cat ended with exit code ${code}`);
      }),
    ]);
    const path = `/proc/${running.pid}/ns/net`;
    if (readlinkSync(path) === readlinkSync("/proc/thread-self/ns/net")) return { path: undefined, close: () => {} };
    const held = openSync(path, "r");
    return { path: `/proc/self/fd/${held}`, close: () => closeSync(held) };
  } finally {
    running.stdin.end();
    await running.ended;
  }
}
