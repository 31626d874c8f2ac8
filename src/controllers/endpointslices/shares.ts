import type { Endpoint, EndpointSlice, Pod, Service } from "../../api/generated/types.ts";
import { BACKUP, ENDPOINTS, WEIGHT, type Share } from "../../api/endpointSlice/shares.ts";
import { isHeadless } from "../pods/addresses.ts";

/** Longer values are none anyway; so much of one is enough to say what is wrong with it. */
const LONGEST = 40;
/** Bytes. All annotations of an object together may have 256 KiB; a slice that is too large to be written would help nobody. */
const MOST = 200_000;

function shareOf(pod: Pod): Share | undefined {
  const { [WEIGHT]: weight, [BACKUP]: backup } = pod.metadata.annotations ?? {};
  if (weight === undefined && backup === undefined) return undefined;
  return {
    ...(weight === undefined ? {} : { weight: weight.slice(0, LONGEST) }),
    ...(backup === undefined ? {} : { backup: backup.slice(0, LONGEST) }),
  };
}

/** By pod name, what pods say of their share. A headless Service's are shared out by nobody. */
export function sharesOf(service: Service, pods: readonly Pod[]): ReadonlyMap<string, Share> {
  const shares = new Map<string, Share>();
  if (isHeadless(service)) return shares;
  for (const pod of pods) {
    const share = shareOf(pod);
    if (share !== undefined) shares.set(pod.metadata.name ?? "", share);
  }
  return shares;
}

/** What a slice of these endpoints says of them; undefined when its pods say nothing. What is too much is left out, last names first. */
export function sharesText(endpoints: readonly Endpoint[], shares: ReadonlyMap<string, Share>): string | undefined {
  if (shares.size === 0) return undefined;
  const names = endpoints.flatMap(({ targetRef }) => targetRef?.name ?? []).filter((name) => shares.has(name));
  const entries: string[] = [];
  let size = 0;
  for (const name of names.toSorted()) {
    const entry = `${JSON.stringify(name)}:${JSON.stringify(shares.get(name))}`;
    size += Buffer.byteLength(entry) + 1;
    if (size > MOST) break;
    entries.push(entry);
  }
  return entries.length === 0 ? undefined : `{${entries.join(",")}}`;
}

export const saysOtherShares = (slice: EndpointSlice, text: string | undefined): boolean =>
  slice.metadata.annotations?.[ENDPOINTS] !== text;

/** The annotations with this said, or nothing. */
export function withShares(
  annotations: Readonly<Record<string, string>>,
  text: string | undefined,
): Record<string, string> {
  const next: Record<string, string> = { ...annotations };
  if (text === undefined) delete next[ENDPOINTS];
  else next[ENDPOINTS] = text;
  return next;
}
