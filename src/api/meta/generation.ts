import type { KubeObject } from "../object.ts";
import { sameJson } from "./values.ts";

interface WithSpec extends KubeObject {
  spec?: unknown;
}

/** A new object is of the first generation. */
export const firstGeneration = <T extends KubeObject>(object: T): T => ({
  ...object,
  metadata: { ...object.metadata, generation: 1 },
});

/** The generation counts what was asked for: it moves with the spec alone. */
export function nextGeneration<T extends WithSpec>(next: T, previous: T): T {
  if (sameJson(next.spec, previous.spec)) return next;
  return { ...next, metadata: { ...next.metadata, generation: (previous.metadata.generation ?? 0) + 1 } };
}
