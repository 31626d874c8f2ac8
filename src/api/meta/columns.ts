import type { Column } from "../kind.ts";
import type { KubeObject } from "../object.ts";
import { ageOf } from "../duration.ts";

/** The first column of every table. */
export const nameColumn: Column = {
  name: "Name",
  type: "string",
  format: "name",
  description: "Name of the object, unique among its kind in its namespace.",
};

export const ageColumn: Column = {
  name: "Age",
  type: "string",
  description: "How long ago the object was created.",
};

/** A column of text, shown always. */
export const column = (name: string, description: string): Column => ({ name, type: "string", description });

/** A column of whole numbers, shown always. */
export const countColumn = (name: string, description: string): Column => ({ name, type: "integer", description });

/** A column of text, shown with `-o wide` only. */
export const wideColumn = (name: string, description: string): Column => ({
  name,
  type: "string",
  description,
  priority: 1,
});

export const nameOf = (object: KubeObject): string => object.metadata.name ?? "";
export const age = (object: KubeObject, nowMs: number): string => ageOf(object.metadata.creationTimestamp, nowMs);

/** The first three texts joined by commas, then how many more there are. */
export function firstThree(texts: readonly string[]): string {
  const shown = texts.slice(0, 3).join(",");
  return texts.length > 3 ? `${shown} + ${texts.length - 3} more...` : shown;
}

/** `k=v,k2=v2`, sorted by key; `<none>` for no labels. */
export function labelsText(labels: Record<string, string> | undefined): string {
  const pairs = Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`);
  return pairs.length === 0 ? "<none>" : pairs.sort().join(",");
}
