import { sameData } from "../../api/sameData.ts";

/** What tells an element of a list from the others, wherever it stands. */
const nameOf = (part: unknown): string | undefined => {
  if (typeof part !== "object" || part === null) return undefined;
  for (const word of ["id", "key", "host", "name"] as const) {
    const value = (part as Readonly<Record<string, unknown>>)[word];
    if (typeof value === "string") return value;
  }
  return undefined;
};

/** What was made of parts already, so that a part which is in many places stays one. */
type Done = Map<unknown, { readonly was: unknown; readonly made: unknown }>;

function elements(was: readonly unknown[], next: readonly unknown[], done: Done): readonly unknown[] {
  // Of several with one name, the first is the first.
  const before = new Map<string, unknown[]>();
  for (const part of was) {
    const name = nameOf(part);
    if (name === undefined) continue;
    const same = before.get(name);
    if (same === undefined) before.set(name, [part]);
    else same.push(part);
  }
  return next.map((part, at) => {
    const name = nameOf(part);
    return made(name === undefined ? was[at] : before.get(name)?.shift(), part, done);
  });
}

const isPlain = (value: object): boolean => Object.getPrototypeOf(value) === Object.prototype;

function made(was: unknown, next: unknown, done: Done): unknown {
  if (typeof was !== "object" || typeof next !== "object" || was === null || next === null) return next;
  const before = done.get(next);
  if (before?.was === was) return before.made;
  let now: unknown = next;
  if (sameData(was, next)) {
    now = was;
  } else if (Array.isArray(was) && Array.isArray(next)) {
    now = elements(was, next, done);
  } else if (isPlain(was) && isPlain(next)) {
    const parts = was as Readonly<Record<string, unknown>>;
    now = Object.fromEntries(Object.entries(next).map(([key, part]) => [key, made(parts[key], part, done)]));
  }
  done.set(next, { was, made: now });
  return now;
}

/** What `next` says, made of the very parts of `was` that say the same. Both are data alone, as for `sameData`. */
export const shared = <T>(was: unknown, next: T): T => made(was, next, new Map()) as T;
