import { isDeepStrictEqual } from "node:util";
import type { Host } from "../../host/host.ts";
import { ipJson } from "../../host/ip.ts";
import { canonicalIP } from "../../net/ip.ts";
import type { Clock } from "../../observe/clock.ts";
import type { Log } from "../../observe/log.ts";

/** Addresses of this machine's interfaces, kept current. */
export interface Interfaces {
  /** In canonical form, without link-local ones of IPv6: those mean nothing without their interface. */
  readonly addresses: readonly string[];
  stop(): Promise<void>;
}

interface Link {
  readonly addr_info?: readonly { readonly local?: string; readonly scope?: string }[];
}

const read = async (host: Host): Promise<string[]> => {
  const links = (await ipJson(host, ["address", "show"])) as Link[];
  const found = links.flatMap(({ addr_info = [] }) =>
    addr_info
      .filter(({ local, scope }) => local !== undefined && scope !== "link")
      .map(({ local }) => canonicalIP(local!)),
  );
  return [...new Set(found)].toSorted();
};

/** Milliseconds: changes come in heaps, and a look costs a process. */
const CALM = 200;
/** Until the monitor that ended is started again; and a look besides, for what it may have missed. */
const AGAIN = 10_000;

/** Until the first one is started: a start has better things to do. */
const STARTED = 1_000;

/**
 * Reads the addresses and goes on reading them whenever the kernel tells of a change (`ip monitor`), so that a change while we run takes
 * effect. Throws where `ip` is missing.
 */
export async function watchInterfaces(options: {
  readonly host: Host;
  readonly clock: Clock;
  readonly log: Log;
  onChange(): void;
}): Promise<Interfaces> {
  const { host, clock, log } = options;
  let addresses = await read(host);
  let stopped = false;
  let cancel = (): void => {};
  let due = false;
  let monitor: Awaited<ReturnType<Host["open"]>> | undefined;

  const look = async (): Promise<void> => {
    due = false;
    try {
      const found = await read(host);
      if (stopped || isDeepStrictEqual(found, addresses)) return;
      log.info({ was: addresses, addresses: found }, "the addresses of this machine have changed");
      addresses = found;
      options.onChange();
    } catch (error) {
      log.warn({ error: (error as Error).message }, "the addresses of this machine could not be read");
    }
  };
  const lookSoon = (): void => {
    if (due || stopped) return;
    due = true;
    clock.after(CALM, () => void look());
  };
  const start = async (): Promise<void> => {
    const opened = await host.open("ip", ["-o", "monitor", "address"]);
    monitor = opened;
    if (stopped) opened.kill();
    opened.stderr.resume();
    opened.stdout.on("data", lookSoon);
    void opened.ended.then(() => {
      if (!stopped) cancel = clock.after(AGAIN, () => void watch());
    });
  };
  const watch = async (): Promise<void> => {
    try {
      await start();
    } catch (error) {
      log.warn(
        { error: (error as Error).message },
        "changes of this machine's addresses are not heard of; they are looked for",
      );
      cancel = clock.after(AGAIN, () => void watch());
    }
    // What changed before the monitor was listening.
    lookSoon();
    clock.after(10 * CALM, lookSoon);
  };
  cancel = clock.after(STARTED, () => void watch());

  return {
    get addresses() {
      return addresses;
    },
    async stop() {
      stopped = true;
      cancel();
      monitor?.kill();
      await monitor?.ended;
    },
  };
}
