import type { Annotated } from "./annotations.ts";
import type { BackendSettings } from "../plan/plan.ts";
import type { RouteSettings } from "../settings/settings.ts";
import type { Said } from "./said.ts";

/** What becomes of an annotation here, compared with ingress-nginx. */
export type Verdict =
  | { readonly served: "same" }
  /** `how`: a sentence on the difference. */
  | { readonly served: "differently"; readonly how: string }
  /** Not done, and nothing is lost by that. */
  | { readonly served: "ignored"; readonly why: string }
  /** Not done. Where it closes the route, requests are answered 503, because something that protects it would be missing. */
  | { readonly served: "refused"; readonly closes: boolean; readonly why: string; readonly instead: string };

export const same: Verdict = { served: "same" };
export const differently = (how: string): Verdict => ({ served: "differently", how });
export const ignored = (why: string): Verdict => ({ served: "ignored", why });
export const refused = (why: string, instead: string): Verdict => ({ served: "refused", closes: false, why, instead });
export const closes = (why: string, instead: string): Verdict => ({ served: "refused", closes: true, why, instead });

/** What is written as a value. */
export type ValueKind =
  | "true or false"
  | "number"
  | "seconds"
  | "size"
  | "word"
  | "list"
  | "addresses"
  | "text"
  | "path"
  | "URL"
  | "Secret"
  | "ConfigMap"
  | "Service"
  | "snippet";

/** One annotation. */
export interface KnownAnnotation {
  /** After `nginx.ingress.kubernetes.io/` or `fairlead.dev/`; one with a slash is a whole key. */
  readonly name: string;
  readonly value: ValueKind;
  /** Of any value but the exceptions. */
  readonly verdict: Verdict;
  /** By value, in lower case. */
  readonly exceptions?: Readonly<Record<string, Verdict>>;
  /** Only as `fairlead.dev/`: ingress-nginx has none of this name. */
  readonly own?: true;
}

/** What a group's annotations say, as far as they say something. */
export interface Read extends Partial<Omit<Annotated, "settings" | "backend" | "faults">> {
  readonly settings?: Partial<RouteSettings>;
  readonly backend?: Partial<BackendSettings>;
}

/** Annotations that are about one thing. */
export interface AnnotationGroup {
  /** What they are about, as a heading. */
  readonly title: string;
  readonly annotations: readonly KnownAnnotation[];
  /** Pure; asked only where one of them is said. Absent: the verdicts say all. */
  readonly read?: (this: void, said: Said) => Read;
}
