import type { Service } from "../api/generated/types.ts";
import type { EventRecorder } from "../client/events.ts";
import { abilityComplaints } from "./complaints.ts";
import type { AnyEngine } from "./engine.ts";
import type { Aftermath } from "./proxy.ts";

/** A Service as something that events are about: lists of other servers leave the kind of their items out. */
export const asService = (service: Service): Service => ({ ...service, apiVersion: "v1", kind: "Service" });

/** Tells what of a Service cannot be done as it is written, as Warning events on it, each once until it is mended. */
export function tellComplaints(options: {
  readonly engine: Pick<AnyEngine, "name" | "abilities" | "complaints">;
  readonly recorder: EventRecorder;
  service(key: string): Service | undefined;
}): Aftermath {
  const told = new Map<string, ReadonlySet<string>>();
  return {
    applied({ changes }) {
      for (const [key, plan] of changes) {
        const complaints = new Set(
          plan === undefined
            ? []
            : [
                ...plan.complaints,
                ...abilityComplaints(options.engine, plan),
                ...(options.engine.complaints?.(key) ?? []),
              ],
        );
        const before = told.get(key);
        if (complaints.size === 0) told.delete(key);
        else told.set(key, complaints);
        const service = complaints.size === 0 ? undefined : options.service(key);
        if (service === undefined) continue;
        for (const complaint of complaints) {
          if (before?.has(complaint) !== true)
            options.recorder.event(asService(service), "Warning", "NotCarriedAsWritten", complaint);
        }
      }
    },
    stop: async () => {},
  };
}
