import { checkLabel } from "../meta/names.ts";
import type { KubeObject } from "../object.ts";

/** Of a new workload whose name is part of host names, and cannot be. */
export function nameWarnings({ metadata }: KubeObject, previous: KubeObject | undefined): string[] {
  const why = previous === undefined ? checkLabel(metadata.name ?? "") : [];
  if (why.length === 0) return [];
  return [
    `metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [${why.join(" ")}]`,
  ];
}
