import { invalid, type Fault } from "../fault.ts";
import { nonNegative } from "../meta/check.ts";

const numberOf = (status: object | undefined, name: string): number => {
  const value: unknown = status === undefined ? undefined : Reflect.get(status, name);
  return typeof value === "number" ? value : 0;
};

/** The counts of a status, none of which is negative. */
export const validateCounts = (status: object | undefined, names: readonly string[]): Fault[] =>
  names.flatMap((name) => nonNegative(`status.${name}`, numberOf(status, name)));

/** Counts of some of the pods, which cannot be more than all of them, nor more be available than are ready. */
export function validateShares(status: object | undefined, names: readonly string[], ready = "readyReplicas"): Fault[] {
  const all = numberOf(status, "replicas");
  const available = numberOf(status, "availableReplicas");
  return [
    ...names
      .filter((name) => numberOf(status, name) > all)
      .map((name) => invalid(`status.${name}`, numberOf(status, name), "cannot be greater than status.replicas")),
    ...(available > numberOf(status, "readyReplicas")
      ? [invalid("status.availableReplicas", available, `cannot be greater than ${ready}`)]
      : []),
  ];
}

/** How often a name was taken already only grows: it makes the next name. */
export function validateCollisions(next: number | undefined, previous: number | undefined): Fault[] {
  if (previous === undefined || (next !== undefined && next >= previous)) return [];
  return [invalid("status.collisionCount", next ?? 0, "cannot be decremented")];
}
