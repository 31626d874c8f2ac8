import { invalid, notSupported, required, type Fault } from "../../fault.ts";
import type { HTTPIngressPath, IngressRule } from "../../generated/types.ts";
import { checked } from "../../meta/check.ts";
import { lenientIP } from "../../meta/ip.ts";
import { checkSubdomain, checkWildcardSubdomain } from "../../meta/names.ts";
import { validateBackend } from "./backend.ts";

const PATH_TYPES = ["Exact", "ImplementationSpecific", "Prefix"];
/** Texts by which two readers could take one path for two. */
const AMBIGUOUS = ["//", "/./", "/../", "%2f", "%2F"];
const AMBIGUOUS_ENDS = ["/..", "/."];
const ABSOLUTE = "must be an absolute path";

/** SVC-290, SVC-291 */
function validatePathText({ path = "", pathType }: HTTPIngressPath, field: string): Fault[] {
  const relative = path.startsWith("/") ? [] : [invalid(field, path, ABSOLUTE)];
  if (pathType === "ImplementationSpecific") return path === "" ? [] : relative;
  return [
    ...relative,
    ...AMBIGUOUS.filter((text) => path.includes(text)).map((text) =>
      invalid(field, path, `must not contain '${text}'`),
    ),
    ...AMBIGUOUS_ENDS.filter((text) => path.endsWith(text)).map((text) =>
      invalid(field, path, `cannot end with '${text}'`),
    ),
  ];
}

/** SVC-289: without a type nothing else of a path has a meaning. */
function validatePath(path: HTTPIngressPath, field: string): Fault[] {
  const { backend, pathType } = path;
  // The generated type says that it is there; it need not be (see `decode/pointers.ts`).
  if ((pathType as string | undefined) === undefined) {
    return [required(`${field}.pathType`, "pathType must be specified")];
  }
  return [
    ...(PATH_TYPES.includes(pathType)
      ? validatePathText(path, `${field}.path`)
      : [notSupported(`${field}.pathType`, pathType, PATH_TYPES)]),
    ...validateBackend(backend ?? {}, `${field}.backend`),
  ];
}

/** SVC-287 */
function validateHost(host: string, field: string): Fault[] {
  if (host === "") return [];
  return [
    ...(lenientIP(host) === undefined ? [] : [invalid(field, host, "must be a DNS name, not an IP address")]),
    ...checked(host.includes("*") ? checkWildcardSubdomain : checkSubdomain, field, host),
  ];
}

/** SVC-288 */
function validateHttp({ http }: IngressRule, field: string): Fault[] {
  if (http === undefined) return [];
  const paths = `${field}.http.paths`;
  if (http.paths.length === 0) return [required(paths)];
  return http.paths.flatMap((path, index) => validatePath(path, `${paths}[${index}]`));
}

const isWildcard = ({ host = "" }: IngressRule): boolean => host.includes("*");

/** SVC-287 … SVC-294. Paths of wildcard hosts that were stored before they were judged stay as they are. */
export function validateRules(rules: readonly IngressRule[], before: readonly IngressRule[]): Fault[] {
  const isLenient = before.some((rule) => isWildcard(rule) && validateHttp(rule, "").length > 0);
  return rules.flatMap((rule, index) => {
    const field = `spec.rules[${index}]`;
    return [
      ...validateHost(rule.host ?? "", `${field}.host`),
      ...(isLenient && isWildcard(rule) ? [] : validateHttp(rule, field)),
    ];
  });
}
