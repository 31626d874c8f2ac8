import type { Candidate, Candidates } from "../candidate.ts";
import { compileKey } from "../key-template.ts";
import type { Balancer } from "./balancer.ts";

/**
 * The same key goes to the same endpoint: to the one that scores highest with it (rendezvous hashing, Thaler and Ravishankar). When one comes,
 * only what it wins moves; when one goes, only what it had. A request without a key goes by turns, as in nginx.
 */
export const hash = (candidates: Candidates, template: string): Balancer => {
  const keyOf = compileKey(template);
  const { all, turns } = candidates;
  const seeds = all.map(({ endpoint }) => fnv(endpoint.key));
  const weightless = all.every(({ endpoint }) => endpoint.weight === all[0]!.endpoint.weight);
  return (may, request) => {
    const key = keyOf(request);
    if (key === "") return turns.next(may);
    const hashed = fnv(key);
    let best: Candidate | undefined;
    let highest = -1;
    for (let at = 0; at < all.length; at++) {
      const drawn = stirred(hashed ^ seeds[at]!);
      // Of weighted scores the highest is theirs with a chance of their weight (Schindelhauer and Schomaker).
      const score = weightless ? drawn : all[at]!.endpoint.weight / -Math.log((drawn + 0.5) / 2 ** 32);
      if (score > highest && may(all[at]!)) {
        highest = score;
        best = all[at]!;
      }
    }
    return best;
  };
};

/** FNV-1a of UTF-16 units, stirred. 32 bits. */
function fnv(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  return stirred(value);
}

/** Each bit of the outcome hangs on each bit (the finish of MurmurHash3). */
function stirred(value: number): number {
  let bits = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
