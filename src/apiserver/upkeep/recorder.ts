import type { Event } from "../../api/generated/types.ts";
import type { KubeObject } from "../../api/object.ts";
import { isApiError } from "../../api/status.ts";
import { microTimestamp } from "../../observe/clock.ts";
import type { Context } from "../context.ts";
import { MASTERS } from "../identity/identity.ts";
import { changeObject } from "../verbs/change-object.ts";
import { createObject } from "../verbs/create-object.ts";

/** What happened to an object that people should hear of. */
export interface Told {
  readonly about: KubeObject;
  /** `ClusterIPNotAllocated` */
  readonly reason: string;
  /** What was being done or looked after: `ClusterIPAllocation`. */
  readonly action: string;
  readonly message: string;
}

/** Tells people of what the server found, as Warning events written the way a client's would be. */
export interface Recorder {
  /** Never waits and never throws. The same thing told again raises the count of its event. */
  warn(told: Told): void;
  /** Resolves when what was told is written, or given up. */
  flush(): Promise<void>;
}

/** Events remembered so that their repetition is counted. */
const REMEMBERED = 1024;
/** Events waiting to be written, above which new ones are left out. */
const MAXIMUM_WAITING = 256;
const INSTANCE = "fairlead";

/** `component`: who tells, `ipallocator-repair-controller`. */
export function createRecorder(context: Context, component: string): Recorder {
  const kind = context.kinds.find("", "v1", "events");
  const known = new Map<string, { readonly namespace: string; readonly name: string }>();
  const writer = {
    identity: { user: "system:apiserver", groups: [MASTERS] },
    dryRun: false,
    warn: (): void => {},
  };
  let waiting = 0;
  let last: Promise<void> = Promise.resolve();

  const eventOf = ({ about, reason, action, message }: Told): Event => {
    const { name = "", namespace, uid, resourceVersion } = about.metadata;
    // Addresses of IPv6 have colons, and names of events may not.
    const prefix = name.replaceAll(":", "-");
    return {
      apiVersion: "v1",
      kind: "Event",
      metadata: {
        name: `${prefix}.${Buffer.from(context.random(8)).toString("hex")}`,
        namespace: namespace ?? "default",
      },
      involvedObject: {
        apiVersion: about.apiVersion,
        kind: about.kind,
        name,
        ...(namespace === undefined ? {} : { namespace }),
        ...(uid === undefined ? {} : { uid }),
        ...(resourceVersion === undefined ? {} : { resourceVersion }),
      },
      type: "Warning",
      reason,
      action,
      message,
      eventTime: microTimestamp(context.clock.now()),
      reportingComponent: component,
      reportingInstance: INSTANCE,
    };
  };

  const write = async (told: Told): Promise<void> => {
    if (kind === undefined) return;
    const { uid, name } = told.about.metadata;
    const key = JSON.stringify([told.about.kind, uid ?? name, told.reason, told.message]);
    const at = known.get(key);
    if (at !== undefined) {
      try {
        await changeObject(context, kind, at, { ...writer, by: "main" }, ({ object }) => {
          const event = object as Event;
          const count = (event.series?.count ?? 1) + 1;
          const { resourceVersion: _, ...metadata } = event.metadata;
          return { ...event, metadata, series: { count, lastObservedTime: microTimestamp(context.clock.now()) } };
        });
        return;
      } catch (error) {
        // Events are deleted after a while; then it is told as new.
        if (!isApiError(error, "NotFound")) throw error;
      }
    }
    const event = eventOf(told);
    await createObject(context, kind, event, writer);
    known.delete(key);
    known.set(key, { namespace: event.metadata.namespace!, name: event.metadata.name! });
    if (known.size > REMEMBERED) known.delete(known.keys().next().value!);
  };

  return {
    warn(told) {
      if (waiting >= MAXIMUM_WAITING || context.closing.aborted) return;
      waiting++;
      last = last
        .then(() => write(told))
        .catch((error: unknown) => {
          context.log.debug({ reason: told.reason, error: String(error) }, "an event could not be told");
        })
        .finally(() => {
          waiting--;
        });
    },
    flush: () => last,
  };
}
