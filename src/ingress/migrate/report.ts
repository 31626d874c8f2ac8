/** What becomes of something that a manifest says; `not` is the worst. */
export type Outcome = "same" | "differently" | "not";

/** One field or annotation. */
export interface Finding {
  readonly field: string;
  readonly line: number;
  /** What is there, cut where it is long. */
  readonly value: string;
  readonly outcome: Outcome;
  /** Of all but plain `same`. */
  readonly why?: string;
  /** What can be done about it. */
  readonly instead?: string;
}

/** An Ingress, or a ConfigMap of ingress-nginx. */
export interface ObjectReport {
  readonly file: string;
  readonly line: number;
  readonly kind: string;
  /** `namespace/name`. */
  readonly name: string;
  /** The worst of its findings. */
  readonly outcome: Outcome;
  /** Why all of its requests are answered 503. */
  readonly refused?: string;
  readonly findings: readonly Finding[];
}

/** An IngressClass that Ingresses name and that is not ours. */
export interface ClassReport {
  /** `""`: none is named. */
  readonly name: string;
  readonly ingresses: number;
  readonly remedy: string;
}

export interface FileCounts {
  readonly file: string;
  readonly same: number;
  readonly differently: number;
  readonly not: number;
  /** Objects that are neither Ingress nor configuration of ingress-nginx. */
  readonly others: number;
}

export interface MigrationReport {
  readonly objects: readonly ObjectReport[];
  readonly classes: readonly ClassReport[];
  readonly files: readonly FileCounts[];
  /** What is so for every Ingress, whatever it says. */
  readonly always: readonly string[];
}

/** A document of a manifest. */
export interface Document {
  readonly file: string;
  readonly line: number;
  readonly object: unknown;
  lineOf(field: string): number;
}

const RANK: Readonly<Record<Outcome, number>> = { same: 0, differently: 1, not: 2 };

export const worst = (outcomes: Iterable<Outcome>): Outcome => {
  let found: Outcome = "same";
  for (const one of outcomes) if (RANK[one] > RANK[found]) found = one;
  return found;
};

/** One line, and not a long one. */
export function shortened(value: string): string {
  const line = value.trim().replaceAll(/\s+/g, " ");
  return line.length > 60 ? `${line.slice(0, 59)}…` : line;
}
