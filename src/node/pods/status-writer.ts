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
  hasTold(): boolean;
  /** Whether others have written over our words (CTL-117); the next ones are then sent even if they are the same. */
  isContradicted(pod: Pod): boolean;
  /** Resolves when the newest status is stored, or the pod is gone, or we were stopped. */
  settled(): Promise<void>;
  stop(): void;
}

/** What others may write in our place: a node that was away for long has its pods' conditions changed for it. */
const essence = (status: PodStatus | undefined): string =>
  JSON.stringify([
    status?.phase,
    ...["Ready", "ContainersReady"].map((type) => status?.conditions?.find((each) => each.type === type)?.status),
  ]);

/** As a patch: a reason that no longer holds must be taken away by name, or it would stay beside the new status. */
const patchOf = (uid: string | undefined, status: PodStatus): object => ({
  metadata: { uid },
  status: {
    ...status,
    conditions: status.conditions?.map((condition) => ({ reason: null, message: null, ...condition })),
  },
});

/** True unless both are versions, and the first is the older one. */
const isNotOlder = (version: string | undefined, than: string): boolean =>
  !/^\d+$/.test(version ?? "") || !/^\d+$/.test(than) || BigInt(version!) >= BigInt(than);

export function statusWriter(
  options: { readonly client: Client; readonly clock: Clock; readonly random: () => number; readonly log: Log },
  pod: Pod,
): StatusWriter {
  const { client, clock, random } = options;
  const { namespace, name = "", uid } = pod.metadata;
  const log = options.log.child({ pod: name, namespace });
  const stopping = new AbortController();
  let wanted: PodStatus | undefined;
  let told = "";
  /** The version of the object that our last word made. */
  let version = "";
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
        const { metadata } = await client.patch<Pod>(
          pods,
          { namespace, name },
          "strategic",
          patchOf(uid, status),
          { subresource: "status" },
          stopping.signal,
        );
        version = metadata.resourceVersion ?? "";
        told = text;
        failures = 0;
      } catch (error) {
        if (stopping.signal.aborted || isApiError(error, "NotFound", "Conflict", "Invalid")) {
          if (!stopping.signal.aborted) log.info({ error: (error as Error).message }, "a pod's status was not taken");
          told = text;
          continue;
        }
        failures += 1;
        log.warn({ error: (error as Error).message }, "writing a pod's status failed; trying again");
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
    hasTold: () => wanted !== undefined,
    isContradicted({ status, metadata }) {
      if (wanted === undefined || sending !== undefined) return false;
      if (!isNotOlder(metadata.resourceVersion, version) || essence(status) === essence(wanted)) return false;
      told = "";
      return true;
    },
    async settled() {
      await sending;
    },
    stop: () => stopping.abort(),
  };
}
