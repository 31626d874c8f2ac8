import { invalid, type Fault } from "../fault.ts";
import type { Ingress, IngressTLS } from "../generated/types.ts";
import { CLASS_ANNOTATION } from "../ingressClass/annotations.ts";
import { checked, checkedIP } from "../meta/check.ts";
import { lenientIP } from "../meta/ip.ts";
import { checkSubdomain, checkWildcardSubdomain } from "../meta/names.ts";
import { validateObjectMeta } from "../meta/objectMeta.ts";
import { validateBackend } from "./validate/backend.ts";
import { validateRules } from "./validate/rules.ts";

const RULES = { namespaced: true, checkName: checkSubdomain };

const validateSecretName = (name: string | undefined, field: string): Fault[] =>
  name ? checked(checkSubdomain, field, name) : [];

/** SVC-295. One bad name of a Secret that is stored already lets all pass. */
function validateTLS(tls: readonly IngressTLS[], before: readonly IngressTLS[]): Fault[] {
  const isLenient = before.some(({ secretName }) => validateSecretName(secretName, "").length > 0);
  return tls.flatMap(({ hosts = [], secretName }, index) => {
    const field = `spec.tls[${index}]`;
    return [
      ...hosts.flatMap((host, at) =>
        checked(host.includes("*") ? checkWildcardSubdomain : checkSubdomain, `${field}.hosts[${at}]`, host),
      ),
      ...(isLenient ? [] : validateSecretName(secretName, `${field}.secretName`)),
    ];
  });
}

/** SVC-297: the old way and the new one must not differ; only on create. */
function validateClassAnnotation({ metadata, spec }: Ingress): Fault[] {
  const annotation = metadata.annotations?.[CLASS_ANNOTATION];
  const name = spec?.ingressClassName;
  if (annotation === undefined || name === undefined || annotation === name) return [];
  const why = "must match `ingressClassName` when both are specified";
  return [invalid(`annotations.${CLASS_ANNOTATION}`, annotation, why)];
}

/** SVC-286 … SVC-297 */
export function validate(next: Ingress, previous: Ingress | undefined): Fault[] {
  const { defaultBackend, ingressClassName, rules = [], tls = [] } = next.spec ?? {};
  const faults = validateObjectMeta(next.metadata, previous?.metadata, RULES);
  if (rules.length === 0 && defaultBackend === undefined) {
    faults.push(invalid("spec", next.spec?.rules, "either `defaultBackend` or `rules` must be specified"));
  }
  if (defaultBackend !== undefined) faults.push(...validateBackend(defaultBackend, "spec.defaultBackend"));
  faults.push(...validateRules(rules, previous?.spec?.rules ?? []), ...validateTLS(tls, previous?.spec?.tls ?? []));
  if (ingressClassName !== undefined) {
    faults.push(...checked(checkSubdomain, "spec.ingressClassName", ingressClassName));
  }
  return previous === undefined ? [...faults, ...validateClassAnnotation(next)] : faults;
}

/** SVC-298: addresses and names as those of a Service's load balancer; nothing is said about ports. */
export function validateStatus(next: Ingress, previous: Ingress): Fault[] {
  const before = (previous.status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip ?? "");
  return [
    ...validateObjectMeta(next.metadata, previous.metadata, RULES),
    ...(next.status?.loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }, index) => {
      const field = `status.loadBalancer.ingress[${index}]`;
      const faults = ip ? checkedIP(`${field}.ip`, ip, before) : [];
      if (!hostname) return faults;
      faults.push(...checked(checkSubdomain, `${field}.hostname`, hostname));
      if (lenientIP(hostname) !== undefined) {
        faults.push(invalid(`${field}.hostname`, hostname, "must be a DNS name, not an IP address"));
      }
      return faults;
    }),
  ];
}
