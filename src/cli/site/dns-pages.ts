import { createHttp } from "../../dns/http/http.ts";
import type { Told } from "../../dns/http/pages.ts";
import { systemClock } from "../../observe/clock.ts";
import type { Log } from "../../observe/log.ts";

/** Milliseconds after which an address that was taken is tried again. */
const AGAIN = 5_000;

/**
 * `/health`, `/ready` and `/metrics` at each of these addresses, on one port. One that is taken is said once and tried again: names are
 * answered all the same.
 */
export function openPages(addresses: readonly string[], port: number, log: Log, told: Told): { stop(): Promise<void> } {
  let isStopped = false;
  const all = addresses.map((host) => {
    const http = createHttp(told);
    let cancel = (): void => {};
    let isTold = false;
    const open = async (): Promise<void> => {
      try {
        await http.serve({ health: { host, port, lameduck: 0 }, ready: { host, port }, prometheus: { host, port } });
        if (isStopped) await http.close();
      } catch (error) {
        if (!isTold) log.warn({ error: (error as Error).message }, "the pages of cluster DNS cannot be opened yet");
        isTold = true;
        if (!isStopped) cancel = systemClock.after(AGAIN, () => void open());
      }
    };
    const opening = open();
    return {
      async stop() {
        cancel();
        await opening;
        await http.close();
      },
    };
  });
  return {
    async stop() {
      isStopped = true;
      await Promise.all(all.map((one) => one.stop()));
    },
  };
}
