import type { PodTemplateSpec } from "../../api/generated/types.ts";

/** The label that tells the pods of one ReplicaSet of a Deployment from those of another. */
export const HASH_LABEL = "pod-template-hash";

/** Fields that are no pointers in Kubernetes: empty, they are the same as absent. */
const PLAIN = new Set([
  "annotations",
  "labels",
  "limits",
  "matchLabels",
  "metadata",
  "nodeSelector",
  "overhead",
  "requests",
  "resources",
]);

/** One form for all ways to say the same: names in order, nothing that is null, empty lists and maps left out. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== "object" || value === null) return value;
  const fields: [string, unknown][] = [];
  for (const [name, held] of Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (held === undefined || held === null) continue;
    if (Array.isArray(held) && held.length === 0) continue;
    const inner = canonical(held);
    const isNothing = PLAIN.has(name) && typeof inner === "object" && Object.keys(inner ?? {}).length === 0;
    if (!isNothing) fields.push([name, inner]);
  }
  return Object.fromEntries(fields);
}

/** A template as text, without the label that a Deployment adds to it: equal for equal templates. */
export function templateText(template: PodTemplateSpec): string {
  const labels = { ...template.metadata?.labels };
  delete labels[HASH_LABEL];
  return JSON.stringify(canonical({ ...template, metadata: { ...template.metadata, labels } }));
}

const LETTERS = "bcdfghjklmnpqrstvwxz2456789";

/** FNV-1a of 32 bits, over UTF-8. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}

/**
 * What is put into the label: a short word that depends on the template as the API server stores it, with all its defaults,
 * and on how often the word was taken already.
 */
export function templateHash(template: PodTemplateSpec, collisions: number): string {
  const digits = String(fnv1a(`${templateText(template)}${collisions === 0 ? "" : `\n${collisions}`}`));
  return Array.from(digits, (digit) => LETTERS[digit.charCodeAt(0) % LETTERS.length]).join("");
}
