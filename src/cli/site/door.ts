import { rm } from "node:fs/promises";
import type { Ingress } from "../../api/generated/types.ts";
import { ingresses } from "../../api/resources.ts";
import { createCache } from "../../client/cache.ts";
import { createWorkQueue } from "../../client/work-queue.ts";
import type { Host } from "../../host/host.ts";
import { ensureClass, INGRESS_CLASS } from "../../ingress/registration.ts";
import { systemClock } from "../../observe/clock.ts";
import type { Log } from "../../observe/log.ts";
import { clientWhenReady } from "../connection.ts";
import type { DataLayout } from "../data/layout.ts";
import { doorSockets, type DoorSockets } from "./door-sockets.ts";
import { random } from "./parts/part.ts";
import type { SupervisedWorker } from "./workers.ts";

export interface SiteDoorOptions {
  readonly host: Host;
  readonly layout: DataLayout;
  readonly log: Log;
  /** Starts the part. */
  readonly start: (sockets: DoorSockets) => SupervisedWorker;
  /** Hears where it is served, once. */
  readonly opened: (sockets: DoorSockets) => void;
}

/** Ingress of a site. */
export interface SiteDoor {
  end(order: "stop" | "remove"): Promise<void>;
}

/**
 * Makes the IngressClass, and opens the door when the first Ingress is there: who has none pays for none, and ports 80 and 443 stay with whoever
 * else may want them.
 */
export function openDoorWhenWanted({ host, layout, log, start, opened }: SiteDoorOptions): SiteDoor {
  const stopping = new AbortController();
  let worker: SupervisedWorker | undefined;

  const open = async (): Promise<void> => {
    const sockets = await doorSockets(host, layout.made, log);
    if (stopping.signal.aborted) return;
    worker = start(sockets);
    opened(sockets);
  };
  const run = async (): Promise<void> => {
    // What an earlier site wrote is no longer so.
    await rm(layout.ingress, { force: true });
    const client = await clientWhenReady(layout, "fairlead-ingress", "part-ingress", stopping.signal);
    const making = createWorkQueue({
      concurrency: 1,
      clock: systemClock,
      random,
      log,
      work: (_key, signal) => ensureClass(client, signal),
    });
    making.add(INGRESS_CLASS);
    const wanted = Promise.withResolvers<void>();
    const cache = createCache<Ingress>({
      client,
      resource: ingresses,
      clock: systemClock,
      random,
      log,
      // Only that there is one matters here.
      prune: (object) => void (object.spec = undefined),
    });
    cache.onChange(() => {
      if (cache.size > 0) wanted.resolve();
    });
    stopping.signal.addEventListener("abort", () => wanted.resolve());
    await wanted.promise;
    cache.stop();
    if (!stopping.signal.aborted) await open();
    await making.stop();
    client.close();
  };
  const running = run().catch((error: unknown) => {
    if (!stopping.signal.aborted) log.error({ error: (error as Error).message }, "Ingress cannot be served");
  });

  return {
    async end(order) {
      stopping.abort(new Error("the site ends"));
      await running;
      await worker?.end(order);
    },
  };
}
