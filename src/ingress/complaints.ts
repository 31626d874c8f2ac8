import type { Ingress } from "../api/generated/types.ts";
import type { EventRecorder } from "../client/events.ts";
import type { IngressFault } from "./plan/view.ts";

/** Tells the faults of Ingresses as events on them, each when it is new. */
export interface Complaints {
  /** What is wrong now, by Ingress. Of lists that are the very same as before nothing is looked at. */
  tell(faults: ReadonlyMap<string, readonly IngressFault[]>, ingress: (key: string) => Ingress | undefined): void;
  /** What was told is told again with the next call: nobody may have heard it. */
  forget(): void;
}

const textOf = ({ field, message }: IngressFault): string => `${field}: ${message}`;

export function createComplaints(events: Pick<EventRecorder, "event">): Complaints {
  let told: ReadonlyMap<string, readonly IngressFault[]> = new Map();
  return {
    tell(faults, ingress) {
      if (faults === told) return;
      for (const [key, now] of faults) {
        const before = told.get(key);
        if (before === now) continue;
        const object = ingress(key);
        const known = new Set(before?.map(textOf));
        for (const fault of now) {
          if (object !== undefined && !known.has(textOf(fault))) {
            events.event(object, "Warning", fault.reason, textOf(fault));
          }
        }
      }
      told = faults;
    },
    forget() {
      told = new Map();
    },
  };
}
