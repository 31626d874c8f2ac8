/** A lease as it was found at a look. */
export interface FoundLease {
  readonly ip: string;
  /** Revision of its last renewal. */
  readonly modRevision: number;
}

/** Leases as they were found before: at which revision, and at how many looks since unchanged. */
export type SeenLeases = ReadonlyMap<string, { readonly modRevision: number; readonly unchanged: number }>;

export interface LeaseVerdict {
  readonly seen: SeenLeases;
  /** Addresses of the servers that live, our own among them, in order. */
  readonly living: readonly string[];
  /** Leases that were not renewed for too long. */
  readonly expired: readonly FoundLease[];
}

/** Milliseconds between two looks. */
export const LOOK_EVERY_MS = 5000;
/** Looks at which a lease may be found unchanged: 15 s of life (SVC-282). */
const LIVES_FOR = 3;
/** Looks after which a lease is renewed while somebody counts on it. */
export const RENEW_EVERY = 2;

/**
 * Who lives, by what was seen of their renewals: looks are counted, and no clock is compared with another. A machine that slept
 * through an hour has looked once. `counts`: this look comes `LOOK_EVERY_MS` after the last one that counted.
 */
export function judgeLeases(
  own: string,
  found: readonly FoundLease[],
  before: SeenLeases,
  counts: boolean,
): LeaseVerdict {
  const seen = new Map<string, { modRevision: number; unchanged: number }>();
  const living = new Set([own]);
  const expired: FoundLease[] = [];
  for (const lease of found) {
    const { ip, modRevision } = lease;
    const known = before.get(ip);
    const unchanged = known?.modRevision === modRevision ? known.unchanged + (counts ? 1 : 0) : 0;
    if (ip !== own && unchanged >= LIVES_FOR) expired.push(lease);
    else {
      seen.set(ip, { modRevision, unchanged });
      living.add(ip);
    }
  }
  return { seen, living: [...living].sort(), expired };
}
