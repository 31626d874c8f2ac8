import type { RequestListener, Server } from "node:http";
import type { Clock } from "../../observe/clock.ts";
import type { Log } from "../../observe/log.ts";
import { close, listen, type ListenAddress } from "../../observe/http.ts";

/** Milliseconds after which a taken port is tried again (PRX-119). */
const AGAIN = 5_000;

/** A server that is opened as soon as it can be. */
export interface KeptOpen {
  /** Resolves when it is open for the first time; rejects only when `hardFail` and it could not be opened at once. */
  readonly open: Promise<void>;
  stop(): Promise<void>;
}

/** Opens a server; where the port is taken that is said and it is tried again every 5 s (PRX-119). */
export function keepOpen(options: {
  readonly name: string;
  readonly address: ListenAddress;
  readonly answer: RequestListener;
  readonly clock: Clock;
  readonly log: Log;
  readonly hardFail: boolean;
  /** Not before this has resolved. */
  readonly after?: Promise<void>;
}): KeptOpen {
  const { name, address, answer, clock, log, hardFail } = options;
  const opened = Promise.withResolvers<void>();
  opened.promise.catch(() => {});
  let server: Server | undefined;
  let stopped = false;
  let cancel = (): void => {};
  let trying = Promise.resolve();
  const attempt = async (): Promise<void> => {
    if (stopped) return;
    try {
      const found = await listen(address, answer);
      if (stopped) return await close(found);
      server = found;
      opened.resolve();
    } catch (error) {
      if (hardFail) return opened.reject(error);
      log.warn(
        { error: (error as Error).message },
        `the ${name} server could not be started; it is tried again in 5 s`,
      );
      if (!stopped) cancel = clock.after(AGAIN, () => void (trying = attempt()));
    }
  };
  if (options.after === undefined) trying = attempt();
  else void options.after.then(() => (trying = attempt()));
  return {
    open: opened.promise,
    async stop() {
      stopped = true;
      cancel();
      await trying;
      if (server !== undefined) await close(server);
    },
  };
}
