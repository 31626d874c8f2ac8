import type { Candidate, Place } from "./candidates.ts";
import type { Target } from "./plan.ts";

/** What is known of endpoints beside what slices say. */
export interface Standing {
  /** It gets no new connections for now because it fails them. */
  isPenalized(one: Candidate): boolean;
  /** How much of its share a new endpoint has come to: a whole number of tenths from 1 to 10. */
  tenths(id: string): number;
}

/** The first list that has anybody. */
const firstOf = (...lists: (() => readonly Candidate[])[]): readonly Candidate[] => {
  for (const list of lists) {
    const found = list();
    if (found.length > 0) return found;
  }
  return [];
};

/**
 * Those that weights, backups and penalties leave over; never nobody where there was somebody. No weight is like a word of the
 * Service's owner: it goes before the penalty, which goes before what is a backup.
 */
function preferred(all: readonly Candidate[], standing: Standing): readonly Candidate[] {
  const weighty = all.filter(({ endpoint }) => endpoint.weight > 0);
  const usable = weighty.length > 0 ? weighty : all;
  const good = usable.filter((one) => !standing.isPenalized(one));
  const primary = ({ endpoint }: Candidate): boolean => !endpoint.backup;
  return firstOf(
    () => good.filter(primary),
    () => good,
    // Never the last one standing: who fails is still better than nobody.
    () => usable.filter(primary),
    () => usable,
  );
}

/** By topology hints: PRX-029 … PRX-032. One without hints switches them off for all. */
function near(ready: readonly Candidate[], place: Place): readonly Candidate[] {
  for (const [hints, here] of [
    ["nodes", place.nodeName],
    ["zones", place.zone],
  ] as const) {
    if (!here || !ready.every(({ endpoint }) => endpoint[hints].length > 0)) continue;
    const chosen = ready.filter(({ endpoint }) => endpoint[hints].includes(here));
    if (chosen.length > 0) return chosen;
  }
  return ready;
}

const divisor = (one: number, other: number): number => (other === 0 ? one : divisor(other, one % other));

/** Whole numbers without a common divisor, so that equal shares are 1 whatever they were said in. */
function weigh(chosen: readonly Candidate[], standing: Standing): Target[] {
  // Either all have a weight or none has.
  const full = chosen.map(
    ({ endpoint }) => (endpoint.weight === 0 ? 1 : endpoint.weight) * standing.tenths(endpoint.id),
  );
  const common = full.reduce(divisor, 0);
  return chosen.map(({ ip, port, local }, index) => ({ ip, port, local, weight: full[index]! / common }));
}

const isReady = ({ endpoint }: Candidate): boolean => endpoint.ready;
const isEnding = ({ endpoint }: Candidate): boolean => endpoint.serving && endpoint.terminating;

/** Terminating endpoints that still serve stand in only when nothing is ready: PRX-020 … PRX-025. */
export function clusterTargets(all: readonly Candidate[], place: Place, standing: Standing): Target[] {
  const ready = all.filter(isReady);
  if (ready.length === 0) return weigh(preferred(all.filter(isEnding), standing), standing);
  return weigh(near(preferred(ready, standing), place), standing);
}

/** PRX-021, PRX-028: whatever there is elsewhere, and whatever hints say. */
export function localTargets(all: readonly Candidate[], standing: Standing): Target[] {
  const local = all.filter((one) => one.local);
  const ready = local.filter(isReady);
  return weigh(preferred(ready.length > 0 ? ready : local.filter(isEnding), standing), standing);
}
