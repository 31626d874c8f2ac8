import type { Pod, Volume } from "../../api/generated/types.ts";
import { backoff } from "../../client/backoff.ts";
import type { Client } from "../../client/client.ts";
import type { Clock } from "../../observe/clock.ts";
import type { Log } from "../../observe/log.ts";
import type { PodPlace } from "../environment/field-ref.ts";
import { ConfigError, type Lookups } from "../environment/lookups.ts";
import type { ObjectWatches } from "../pods/object-watches.ts";
import { objectsOf, payloadOf, type TokenSource } from "./payload.ts";
import { podTokens } from "./tokens.ts";
import { writePayload, type Ownership } from "./write-payload.ts";

export interface FilledOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
  readonly lookups: (namespace: string) => Lookups;
  readonly watches: ObjectWatches;
  readonly pod: Pod;
  readonly place: PodPlace;
  /** Those whose files come from the API. */
  readonly volumes: readonly Volume[];
  readonly owner: Ownership;
  readonly directoryOf: (volume: Volume) => string;
}

/** The volumes of one pod that are filled from the API. */
export interface FilledVolumes {
  /** Fills them for the first time. `lenient`: what cannot be had stays as it is. Throws ConfigError. */
  first(lenient: boolean): Promise<void>;
  update(pod: Pod): void;
  /** Resolves when nothing is being written any more. */
  stop(): Promise<void>;
}

/** What every namespace gets a moment after it was made, and every pod wants: waited for quietly before anybody is told. */
const API_ACCESS = /^kube-api-access-/;
const PATIENCE = 2_000;
const LOOK_AGAIN = 100;
/** After a failure, in milliseconds. */
const RETRY = { least: 1_000, most: 60_000 };
/** The longest wait of a timer, in milliseconds. */
const HOUR = 3_600_000;

/** Whether an update of the pod changes what the downward API writes. */
const mattersTo = (previous: Pod, next: Pod): boolean =>
  JSON.stringify([previous.metadata.labels, previous.metadata.annotations]) !==
  JSON.stringify([next.metadata.labels, next.metadata.annotations]);

/** Follows what the volumes are filled from, and writes them anew when it changes or a token grows old. */
export function keepFilled(options: FilledOptions): FilledVolumes {
  const { client, clock, log } = options;
  const { namespace = "", name = "" } = options.pod.metadata;
  const tokens = podTokens(client, () => clock.now(), options.pod);
  const token: TokenSource = (audience, seconds) => tokens.token(audience, seconds);
  const lookups = options.lookups(namespace);
  const ends: (() => void)[] = [];
  let pod = options.pod;
  const stopping = new AbortController();
  const { signal } = stopping;
  let isDirty = false;
  let failures = 0;
  let cancelTimer = (): void => {};
  let working: Promise<void> = Promise.resolve();
  let isWorking = false;

  const fill = async (volume: Volume): Promise<void> => {
    const sources = { pod, place: options.place, lookups, token };
    const payload = await payloadOf(volume, sources);
    if (!signal.aborted) await writePayload(options.directoryOf(volume), payload, options.owner);
  };

  const patiently = async (volume: Volume): Promise<void> => {
    const until = clock.now() + (API_ACCESS.test(volume.name) ? PATIENCE : 0);
    for (;;) {
      try {
        return await fill(volume);
      } catch (error) {
        if (!(error instanceof ConfigError) || signal.aborted || clock.now() >= until) throw error;
        await new Promise<void>((resolve) => clock.after(LOOK_AGAIN, resolve));
      }
    }
  };

  const arm = (milliseconds: number): void => {
    cancelTimer();
    cancelTimer = clock.after(Math.max(0, Math.min(HOUR, milliseconds)), refresh);
  };
  const armForTokens = (): void => {
    const at = tokens.nextRefresh();
    if (at !== undefined && !signal.aborted) arm(at - clock.now());
  };

  const work = async (): Promise<void> => {
    while (isDirty && !signal.aborted) {
      isDirty = false;
      try {
        for (const volume of options.volumes) await fill(volume);
        failures = 0;
        armForTokens();
      } catch (error) {
        failures += 1;
        // The program goes on with what it has; what is missing may come back, and is then told.
        log.warn({ namespace, pod: name, error: (error as Error).message }, "bringing a volume up to date failed");
        if (!signal.aborted) arm(backoff(RETRY, failures, () => 0.5));
      }
    }
    isWorking = false;
  };
  function refresh(): void {
    if (signal.aborted) return;
    isDirty = true;
    if (isWorking) return;
    isWorking = true;
    working = working.then(work);
  }

  return {
    async first(lenient) {
      isWorking = true;
      // Followed before it is read, so that no change falls between.
      for (const object of options.volumes.flatMap(objectsOf)) {
        ends.push(options.watches.follow({ ...object, namespace }, refresh));
      }
      const filling = (async () => {
        for (const volume of options.volumes) await patiently(volume);
      })();
      working = filling.then(
        () => {
          armForTokens();
          return work();
        },
        () => {
          if (lenient) isDirty = true;
          return lenient ? work() : undefined;
        },
      );
      if (lenient) await filling.catch(() => {});
      else await filling;
    },
    update(next) {
      const matters = mattersTo(pod, next);
      pod = next;
      if (matters) refresh();
    },
    async stop() {
      stopping.abort();
      cancelTimer();
      for (const end of ends.splice(0)) end();
      await working.catch(() => {});
    },
  };
}
