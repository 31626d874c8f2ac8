import type { Endpoint } from "../generated/types.ts";

/** On a pod: its share of new connections. What values mean is the affair of who balances. */
export const WEIGHT = "fairlead.dev/weight";
/** On a pod: used only when no other can be. */
export const BACKUP = "fairlead.dev/backup";
/**
 * On an EndpointSlice: what its pods say of their share, for who may read slices but not pods. JSON, an object by pod name (by the
 * first address where there is no pod): `{"web-1":{"weight":"10"},"web-2":{"backup":"true"}}`.
 */
export const ENDPOINTS = "fairlead.dev/endpoints";

/** As the pod says it, unjudged. */
export interface Share {
  readonly weight?: string;
  readonly backup?: string;
}

/** By what an endpoint is named in the annotation of its slice. */
export const shareNameOf = ({ targetRef, addresses }: Endpoint): string => targetRef?.name ?? addresses?.[0] ?? "";

const word = (value: unknown): string | undefined =>
  typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;

/** What an annotation `fairlead.dev/endpoints` says; people who write one may leave out the quotes round values. Undefined: it is none. */
export function readShares(text: string): ReadonlyMap<string, Share> | undefined {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof given !== "object" || given === null || Array.isArray(given)) return undefined;
  const shares = new Map<string, Share>();
  for (const [name, said] of Object.entries(given) as [string, unknown][]) {
    if (typeof said !== "object" || said === null) return undefined;
    const weight = word("weight" in said ? said.weight : undefined);
    const backup = word("backup" in said ? said.backup : undefined);
    shares.set(name, { ...(weight === undefined ? {} : { weight }), ...(backup === undefined ? {} : { backup }) });
  }
  return shares;
}
