import { randomBytes } from "node:crypto";
import type { Event } from "../api/generated/types.ts";
import type { KubeObject } from "../api/object.ts";
import { events } from "../api/resources.ts";
import { isApiError } from "../api/status.ts";
import type { Clock } from "../observe/clock.ts";
import { timestamp } from "../observe/clock.ts";
import type { Log } from "../observe/log.ts";
import type { Client } from "./client.ts";
import { createEventWords } from "./event-words.ts";

/** Tells people what happened to an object (`kubectl describe`), as core/v1 Events. */
export interface EventRecorder {
  /**
   * Fire and forget: never throws and never waits. The same event told again raises the count of the first; of many that
   * differ in their message only, most are told as one.
   */
  event(object: KubeObject, type: "Normal" | "Warning", reason: string, message: string): void;
  /** Resolves when what was told has been sent or given up. */
  flush(): Promise<void>;
  /** Tells no more. */
  stop(): void;
}

export interface EventRecorderOptions {
  readonly client: Client;
  /** Who tells: `default-scheduler`, `kubelet`, … */
  readonly component: string;
  /** The node it is told from, if any. */
  readonly host?: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Events waiting to be sent, above which new ones are dropped; 256. */
  readonly limit?: number;
}

/** How many events are remembered so that their repetition is counted. */
const REMEMBERED = 1024;

interface Told {
  readonly at: { readonly namespace: string; readonly name: string };
  message: string;
  count: number;
}

interface Pending {
  readonly object: KubeObject;
  readonly type: string;
  readonly reason: string;
  message: string;
  readonly first: string;
  last: string;
  times: number;
}

export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  const { client, component, clock, log } = options;
  const limit = options.limit ?? 256;
  const stopping = new AbortController();
  const words = createEventWords();
  const told = new Map<string, Told>();
  const pending = new Map<string, Pending>();
  let sending: Promise<void> | undefined;
  let dropped = 0;

  const eventOf = (item: Pending, name: string, namespace: string): Event => {
    const { object } = item;
    return {
      apiVersion: "v1",
      kind: "Event",
      metadata: { name, namespace },
      involvedObject: {
        apiVersion: object.apiVersion,
        kind: object.kind,
        name: object.metadata.name,
        ...(object.metadata.namespace === undefined ? {} : { namespace: object.metadata.namespace }),
        uid: object.metadata.uid,
        resourceVersion: object.metadata.resourceVersion,
      },
      reason: item.reason,
      message: item.message,
      type: item.type,
      count: item.times,
      firstTimestamp: item.first,
      lastTimestamp: item.last,
      source: { component, ...(options.host === undefined ? {} : { host: options.host }) },
      reportingComponent: component,
      reportingInstance: options.host ?? "",
    };
  };

  const send = async (key: string, item: Pending): Promise<void> => {
    const before = told.get(key);
    if (before !== undefined) {
      try {
        const count = before.count + item.times;
        const news = before.message === item.message ? {} : { message: item.message };
        const body = { count, lastTimestamp: item.last, ...news };
        await client.patch(events, before.at, "merge", body, undefined, stopping.signal);
        before.message = item.message;
        before.count = count;
        return;
      } catch (error) {
        // Events are deleted after a while; then it is told as new.
        if (!isApiError(error, "NotFound")) throw error;
        told.delete(key);
      }
    }
    // Events of objects without a namespace live in `default`, as upstream's do.
    const namespace = item.object.metadata.namespace ?? "default";
    const name = `${item.object.metadata.name ?? ""}.${randomBytes(8).toString("hex")}`;
    await client.create(events, eventOf(item, name, namespace), undefined, stopping.signal);
    told.set(key, { at: { namespace, name }, message: item.message, count: item.times });
    if (told.size > REMEMBERED) told.delete(told.keys().next().value!);
  };

  const sendAll = async (): Promise<void> => {
    for (const [key, item] of pending) {
      if (stopping.signal.aborted) break;
      pending.delete(key);
      try {
        await send(key, item);
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        log.debug({ error: why, reason: item.reason }, "an event could not be told");
      }
    }
    if (dropped > 0) log.warn({ dropped }, "events were dropped: more were told than could be sent");
    dropped = 0;
    sending = undefined;
  };

  return {
    event(object, type, reason, said) {
      if (stopping.signal.aborted) return;
      const at = clock.now();
      const { key, message } = words(JSON.stringify([object.kind, object.metadata.uid, type, reason]), said, at);
      const now = timestamp(at);
      const waiting = pending.get(key);
      if (waiting !== undefined) {
        waiting.times += 1;
        waiting.last = now;
        waiting.message = message;
      } else if (pending.size >= limit) {
        dropped += 1;
      } else {
        pending.set(key, { object, type, reason, message, first: now, last: now, times: 1 });
      }
      sending ??= Promise.resolve().then(sendAll);
    },
    async flush() {
      await sending;
    },
    stop() {
      stopping.abort(new Error("the event recorder was stopped"));
      pending.clear();
    },
  };
}
