import { keyOf, type KubeObject, type Resource } from "../api/object.ts";
import { isApiError } from "../api/status.ts";
import type { Client } from "./client.ts";

/** True when everything `wanted` says is so in `held`; what else is there is somebody's or a default. Lists must be equal in length. */
export function covers(held: unknown, wanted: unknown): boolean {
  if (Array.isArray(wanted)) {
    return Array.isArray(held) && held.length === wanted.length && wanted.every((each, at) => covers(held[at], each));
  }
  if (typeof wanted !== "object" || wanted === null) return held === wanted;
  if (typeof held !== "object" || held === null) return false;
  return Object.entries(wanted).every(([key, value]) => covers((held as Record<string, unknown>)[key], value));
}

/** What is held with all that is wanted put over it: objects are joined, lists and values replaced. */
export function overlaid<T>(held: T, wanted: unknown): T {
  if (typeof wanted !== "object" || wanted === null || Array.isArray(wanted)) return wanted as T;
  const was = (typeof held === "object" && held !== null && !Array.isArray(held) ? held : {}) as Record<
    string,
    unknown
  >;
  const entries = Object.entries(wanted).map(([key, value]) => [key, overlaid(was[key], value)] as const);
  return { ...was, ...Object.fromEntries(entries) } as T;
}

/** The object as it is now, or undefined where there is none. Throws what else the API server answers. */
export async function held<T extends KubeObject>(
  client: Client,
  resource: Resource,
  at: { readonly namespace?: string | undefined; readonly name: string },
  signal: AbortSignal,
): Promise<T | undefined> {
  return client.get<T>(resource, at, signal).catch((error: unknown) => {
    if (isApiError(error, "NotFound")) return undefined;
    throw error;
  });
}

/**
 * Makes an object, or makes it what is wanted; what else it says stays. Does nothing when all is so already. Answers it as it is then.
 * Throws what the API server answers, Conflict too when somebody else was at it: try again.
 */
export async function ensure<T extends KubeObject>(
  client: Client,
  resource: Resource,
  wanted: T,
  signal: AbortSignal,
): Promise<T> {
  const { namespace, name } = wanted.metadata;
  if (name === undefined) throw new TypeError(`ensuring ${resource.kind} ${keyOf(wanted)}: it has no name`);
  const before = await held<T>(client, resource, { namespace, name }, signal);
  if (before === undefined) return client.create<T>(resource, wanted, {}, signal);
  return covers(before, wanted) ? before : client.update<T>(resource, overlaid(before, wanted), {}, signal);
}
