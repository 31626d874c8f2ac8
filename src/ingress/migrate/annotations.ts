import type { Ingress } from "../../api/generated/types.ts";
import type { Annotated } from "../annotations/annotations.ts";
import type { AnnotationGroup, KnownAnnotation, Verdict } from "../annotations/group.ts";
import { affinity } from "../annotations/groups/affinity.ts";
import { backendProtocol } from "../annotations/groups/backend-protocol.ts";
import { balance } from "../annotations/groups/balance.ts";
import { canary } from "../annotations/groups/canary.ts";
import { known } from "../annotations/known.ts";
import { FAIRLEAD_PREFIX, NGINX_PREFIX } from "../annotations/said.ts";
import type { IngressFault } from "../plan/view.ts";
import { shortened, worst, type Document, type Finding } from "./report.ts";

/** What of a canary counts, beside what its main Ingress says. */
const OF_CANARIES: ReadonlySet<AnnotationGroup> = new Set([canary, affinity, balance, backendProtocol]);
const REASONS_NOT_THERE = new Set(["SecretNotFound", "ConfigMapNotFound"]);

const verdictOf = ({ verdict, exceptions }: KnownAnnotation, value: string): Verdict =>
  exceptions?.[value.trim().toLowerCase()] ?? verdict;

/** What its verdict says, where it was read without a fault. */
function byVerdict(verdict: Verdict, isClosed: boolean): Pick<Finding, "outcome" | "why" | "instead"> {
  switch (verdict.served) {
    case "same":
      return { outcome: "same" };
    case "differently":
      return { outcome: "differently", why: verdict.how };
    case "ignored":
      return { outcome: "same", why: `nothing to be done: ${verdict.why}` };
    case "refused":
      if (verdict.closes && !isClosed) return { outcome: "same", why: "beside the others it does nothing" };
      return { outcome: "not", why: verdict.why, instead: verdict.instead };
  }
}

/** What its fault says. */
function byFault(fault: IngressFault, verdict: Verdict | undefined): Pick<Finding, "outcome" | "why" | "instead"> {
  if (verdict === undefined) {
    return { outcome: "same", why: `ingress-nginx does not know it either: ${fault.message}` };
  }
  if (verdict.served === "refused") return { outcome: "not", why: fault.message, instead: verdict.instead };
  const isClosed = fault.message.endsWith("requests are answered 503");
  return { outcome: isClosed ? "not" : "differently", why: fault.message };
}

/** Each annotation of an Ingress that is ours or ingress-nginx', in the order of the manifest. */
export function annotationFindings(ingress: Ingress, annotated: Annotated, document: Document): Finding[] {
  const annotations = ingress.metadata.annotations ?? {};
  const findings = Object.entries(annotations).flatMap(([key, value]): Finding[] => {
    const isOwn = key.startsWith(FAIRLEAD_PREFIX);
    const name = key.startsWith(NGINX_PREFIX)
      ? key.slice(NGINX_PREFIX.length)
      : isOwn
        ? key.slice(FAIRLEAD_PREFIX.length)
        : key;
    const { annotation, group } = known(name) ?? {};
    if (name === key && (annotation === undefined || !name.includes("/"))) return [];
    const field = `metadata.annotations[${key}]`;
    const at = { field, line: document.lineOf(field), value: shortened(value) };
    if (!isOwn && annotations[FAIRLEAD_PREFIX + name] !== undefined) {
      return [{ ...at, outcome: "same", why: `${FAIRLEAD_PREFIX}${name} is stronger` }];
    }
    if (annotated.canary !== undefined && group !== undefined && !OF_CANARIES.has(group)) {
      return [{ ...at, outcome: "same", why: "of a canary it does nothing: what its main Ingress says counts" }];
    }
    const verdict = annotation === undefined ? undefined : verdictOf(annotation, value);
    const isClosed = annotated.settings.refused !== undefined;
    const faults = annotated.faults.filter((fault) => fault.field === field);
    const missing = faults.find(({ reason }) => REASONS_NOT_THERE.has(reason));
    if (missing !== undefined && verdict?.served !== "refused") {
      const what = missing.message.replace(/^there is no (.*); requests are answered 503$/, "$1");
      return [{ ...at, outcome: "same", why: `${what} is not among these manifests, and must be in the cluster` }];
    }
    const found = faults.map((fault) => byFault(fault, verdict));
    // An empty value is as none.
    if (found.length === 0 && value.trim() === "") return [{ ...at, outcome: "same" }];
    if (found.length === 0) {
      return [{ ...at, ...byVerdict(verdict ?? { served: "same" }, isClosed) }];
    }
    const { instead } = found.find((one) => one.instead !== undefined) ?? {};
    return [
      {
        ...at,
        outcome: worst(found.map(({ outcome }) => outcome)),
        why: found.map(({ why }) => why).join("; "),
        ...(instead === undefined ? {} : { instead }),
      },
    ];
  });
  // Of what is missing nothing stands in the manifest.
  const said = new Set(findings.map(({ field }) => field));
  const absent = annotated.faults.filter(({ field }) => !said.has(field));
  return [
    ...findings,
    ...absent.map(({ field, message }): Finding => ({
      field,
      line: document.lineOf("metadata.annotations"),
      value: "",
      outcome: "differently",
      why: message,
    })),
  ];
}
