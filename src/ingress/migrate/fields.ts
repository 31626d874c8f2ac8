import type { Ingress, IngressBackend } from "../../api/generated/types.ts";
import type { Annotated } from "../annotations/annotations.ts";
import { pathExpression } from "../expressions/expression.ts";
import { shortened, type Document, type Finding } from "./report.ts";

const isExpression = (path: string): boolean => {
  try {
    pathExpression(path);
    return true;
  } catch {
    return false;
  }
};

function backendFinding(backend: IngressBackend, field: string, document: Document): Finding[] {
  if (backend.resource === undefined) return [];
  const { kind, name } = backend.resource;
  const at = `${field}.resource`;
  return [
    {
      field: at,
      line: document.lineOf(at),
      value: `${kind}/${name}`,
      outcome: "not",
      why: "a backend must be a Service; requests for it are answered 503",
      instead: "put a Service before it, of type ExternalName where it is elsewhere",
    },
  ];
}

/** What is served otherwise of rules, whatever the annotations say. */
export function fieldFindings({ spec }: Ingress, { useRegex }: Annotated, document: Document): Finding[] {
  const findings =
    spec?.defaultBackend === undefined ? [] : backendFinding(spec.defaultBackend, "spec.defaultBackend", document);
  for (const [at, { http }] of (spec?.rules ?? []).entries()) {
    for (const [index, { path = "/", pathType, backend }] of (http?.paths ?? []).entries()) {
      const whole = `spec.rules[${at}].http.paths[${index}]`;
      findings.push(...backendFinding(backend, `${whole}.backend`, document));
      const field = `${whole}.path`;
      const finding = { field, line: document.lineOf(field), value: shortened(path) };
      if (pathType === "Exact") continue;
      if (useRegex && !isExpression(path)) {
        findings.push({
          ...finding,
          outcome: "not",
          why: "this expression is not taken: expressions are those of JavaScript, in which (?i), \\A, possessive and atomic groups are none, and must come to their end soon whatever the path is",
          instead: "write it without them; expressions are compared without regard to case anyhow",
        });
      } else if (!useRegex && pathType === "ImplementationSpecific" && path.replace(/\/+$/, "") !== "") {
        findings.push({
          ...finding,
          outcome: "differently",
          why: "ImplementationSpecific is as Prefix: /foo matches /foo and /foo/bar, but not /foobar",
        });
      }
    }
  }
  return findings;
}
