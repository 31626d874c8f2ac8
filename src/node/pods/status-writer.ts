import type { Pod, PodStatus } from "../../api/generated/types.ts";
import { pods } from "../../api/resources.ts";
import { isApiError } from "../../api/status.ts";
import { backoff } from "../../client/backoff.ts";
import type { Client } from "../../client/client.ts";
import type { Clock } from "../../observe/clock.ts";
import type { Log } from "../../observe/log.ts";

/** Carries one pod's status to the API: at once when nothing is under way, else the newest after it. */
export interface StatusWriter {
  write(status: PodStatus): void;
  /** Resolves when the newest status is stored, or the pod is gone, or we were stopped. */
  settled(): Promise<void>;
  stop(): void;
}

export function statusWriter(
  options: { readonly client: Client; readonly clock: Clock; readonly random: () => number; readonly log: Log },
  pod: Pod,
): StatusWriter {
  const { client, clock, random, log } = options;
  const { namespace, name = "", uid } = pod.metadata;
  const stopping = new AbortController();
  let wanted: PodStatus | undefined;
  let told = "";
  let sending: Promise<void> | undefined;

  const send = async (): Promise<void> => {
    let failures = 0;
    for (;;) {
      const status = wanted;
      if (status === undefined || stopping.signal.aborted) return;
      const text = JSON.stringify(status);
      if (text === told) return;
      try {
        // Strategic, so that conditions which others hold (readiness gates) stay; the uid makes a namesake a Conflict.
        const patch = { metadata: { uid }, status };
        await client.patch<Pod>(
          pods,
          { namespace, name },
          "strategic",
          patch,
          { subresource: "status" },
          stopping.signal,
        );
        told = text;
        failures = 0;
      } catch (error) {
        if (stopping.signal.aborted || isApiError(error, "NotFound", "Conflict", "Invalid")) {
          if (!stopping.signal.aborted)
            log.info({ pod: name, namespace, error: (error as Error).message }, "a pod's status was not taken");
          told = text;
          continue;
        }
        failures += 1;
        log.warn(
          { pod: name, namespace, error: (error as Error).message },
          "writing a pod's status failed; trying again",
        );
        const wait = backoff({ least: 20, most: 2000 }, failures, random);
        await new Promise<void>((resolve) => clock.after(wait, resolve));
      }
    }
  };

  return {
    write(status) {
      wanted = status;
      sending ??= send().finally(() => {
        sending = undefined;
      });
    },
    async settled() {
      await sending;
    },
    stop: () => stopping.abort(),
  };
}
