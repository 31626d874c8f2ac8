import type { HTTPIngressPath, Ingress, IngressBackend, IngressTLS } from "../../api/generated/types.ts";
import { keyOf } from "../../api/object.ts";
import type { Annotated } from "../annotations/annotations.ts";
import type { RouteSettings } from "../settings/settings.ts";
import { covers, readSecret, timeFault } from "../tls/read-secret.ts";
import { findBackend, firstPortOf, hasEndpoints, type BackendContext, type BackendRef } from "./backends.ts";
import { EVERY_PATH, matchKey, readPath } from "./paths.ts";
import type { CanaryPlan, Certificate, IngressName, PathMatch, RoutePlan } from "./plan.ts";
import type { ClusterView, IngressFault } from "./view.ts";

/** What one path of an Ingress asks for. */
export interface RouteClaim {
  readonly field: string;
  /** Claims of one host with the same key are for the same requests. */
  readonly key: string;
  /** Where its host has TLS; without its canaries. */
  readonly secure: RoutePlan;
  /** Where it has none: the same one, where that makes no difference. */
  readonly plain: RoutePlan;
}

/** A host that an Ingress has rules for. */
export interface HostClaim {
  readonly host: string;
  readonly field: string;
  readonly routes: readonly RouteClaim[];
  /** The Ingress' default backend, for paths that nobody has. */
  readonly rest: RouteClaim | undefined;
}

/** A host that is served because another is. */
export interface DerivedClaim {
  readonly host: string;
  readonly field: string;
  readonly of: string;
  /** Undefined for an alias: the routes of the other host. */
  readonly redirect: RoutePlan | undefined;
}

/** A name that an Ingress has a certificate for. */
export interface TlsClaim {
  readonly name: string;
  readonly field: string;
  /** `namespace/name`; undefined: none is named, and the default one is served. */
  readonly secret: string | undefined;
  /** Undefined where there is none that could be served. */
  readonly certificate: Certificate | undefined;
}

/** What one Ingress says, on its own: of other Ingresses nothing is known here. */
export interface Reading {
  readonly key: string;
  readonly name: IngressName;
  /** Older is less; of one second by name. */
  readonly age: string;
  readonly canary: Omit<CanaryPlan, "ingress" | "backend"> | undefined;
  readonly hosts: readonly HostClaim[];
  readonly derived: readonly DerivedClaim[];
  /** Its default backend, for hosts that nobody has. */
  readonly everything: RouteClaim | undefined;
  readonly tls: readonly TlsClaim[];
  readonly backends: readonly BackendRef[];
  readonly faults: readonly IngressFault[];
}

/** What reading needs beside the Ingress. */
export interface ReadingContext {
  readonly view: ClusterView;
  readonly annotations: (ingress: Ingress, view: ClusterView) => Annotated;
  /** `namespace/name` of the Service that answers where no rule matches. */
  readonly defaultBackend: string | undefined;
  /** Milliseconds since the epoch; undefined: of when certificates are good nothing is told. */
  readonly now?: number | undefined;
}

/** Of a route whose Ingress insists, where `ssl-redirect` itself is off. */
const PERMANENT_REDIRECT = 308;

const isFault = (found: BackendRef | IngressFault): found is IngressFault => "reason" in found;

/** A Service that is named without a port: its first one. */
export function serviceAlone(
  key: string,
  field: string,
  context: Omit<BackendContext, "namespace">,
  view: ClusterView,
): BackendRef | IngressFault {
  const slash = key.indexOf("/");
  const service = view.service(key);
  const port = service === undefined ? undefined : firstPortOf(service);
  if (service !== undefined && port === undefined) {
    return { field, reason: "BackendPortNotFound", message: `Service ${key} has no TCP port; it is not used` };
  }
  const backend: IngressBackend = {
    service: {
      name: key.slice(slash + 1),
      port: /^\d+$/.test(port ?? "1") ? { number: Number(port ?? 1) } : { name: port },
    },
  };
  const found = findBackend(backend, field, { ...context, namespace: key.slice(0, slash) }, view);
  return isFault(found) ? { ...found, field } : found;
}

/** Reads one Ingress that is ours. */
export function readIngress(ingress: Ingress, { view, annotations, defaultBackend, now }: ReadingContext): Reading {
  const { namespace = "", name = "", creationTimestamp = "" } = ingress.metadata;
  const key = keyOf(ingress);
  const annotated = annotations(ingress, view);
  const faults: IngressFault[] = [...annotated.faults];
  const backends = new Map<string, BackendRef>();
  const own: IngressName = { namespace, name };
  const common = { settings: annotated.backend, serviceUpstream: annotated.serviceUpstream };
  const keep = (found: BackendRef | IngressFault): BackendRef | undefined => {
    if (isFault(found)) {
      faults.push(found);
      return undefined;
    }
    backends.set(found.id, found);
    return found;
  };

  // Who answers where a backend has nobody, and what error pages are taken from.
  const standInService =
    annotated.defaultBackend === undefined ? undefined : `${namespace}/${annotated.defaultBackend}`;
  const standInField = "metadata.annotations[nginx.ingress.kubernetes.io/default-backend]";
  const standIn =
    standInService === undefined ? undefined : keep(serviceAlone(standInService, standInField, common, view));
  const backendOf = (backend: IngressBackend, field: string): string | undefined => {
    const found = keep(findBackend(backend, field, { ...common, namespace }, view));
    const isEmpty = found === undefined || (standIn !== undefined && !hasEndpoints(found, view));
    return isEmpty ? (standIn?.id ?? found?.id) : found.id;
  };

  const { errorPages } = annotated.settings;
  const pagesOf = (): string | undefined => {
    if (errorPages === undefined) return undefined;
    if (standIn !== undefined) return standIn.id;
    const pages = defaultBackend === undefined ? undefined : serviceAlone(defaultBackend, "", common, view);
    return pages === undefined || isFault(pages) ? errorPages.backend : keep(pages)?.id;
  };
  const base: RouteSettings =
    errorPages === undefined
      ? annotated.settings
      : { ...annotated.settings, errorPages: { ...errorPages, backend: pagesOf() } };
  const secureSettings: RouteSettings =
    annotated.redirectsAlways && base.httpsRedirect === undefined
      ? { ...base, httpsRedirect: PERMANENT_REDIRECT }
      : base;
  const plainSettings: RouteSettings =
    annotated.redirectsAlways || base.httpsRedirect === undefined
      ? secureSettings
      : { ...base, httpsRedirect: undefined };

  const claim = (
    host: string,
    match: PathMatch,
    path: string,
    field: string,
    backend: string | undefined,
  ): RouteClaim => {
    const { affinity } = annotated;
    const matched = matchKey(match);
    const secure: RoutePlan = {
      id: `${key} ${host} ${matched}`,
      ingress: own,
      host,
      match,
      path,
      settings: secureSettings,
      backend,
      // CTL-158
      affinity:
        affinity === undefined
          ? undefined
          : { ...affinity, path: affinity.path ?? (match.type === "regex" ? "/" : path) },
      canaries: [],
    };
    const plain = plainSettings === secureSettings ? secure : { ...secure, settings: plainSettings };
    return { field, key: matched, secure, plain };
  };

  const { rules = [], defaultBackend: rest, tls = [] } = ingress.spec ?? {};
  const restField = "spec.defaultBackend";
  const restBackend = rest === undefined ? undefined : backendOf(rest, restField);
  const restOf = (host: string): RouteClaim | undefined => {
    if (rest === undefined) return undefined;
    const route = claim(host, EVERY_PATH, "/", restField, restBackend);
    // It is another route than one with path `/`, and has another id.
    const named = (plan: RoutePlan): RoutePlan => ({ ...plan, id: `${key} ${host} default:` });
    const secure = named(route.secure);
    return { ...route, secure, plain: route.plain === route.secure ? secure : named(route.plain) };
  };

  const hosts = new Map<string, { field: string; routes: RouteClaim[] }>();
  const readRule = (path: HTTPIngressPath, host: string, field: string): RouteClaim | undefined => {
    const match = readPath(path, annotated.useRegex);
    if (typeof match === "string") {
      faults.push({ field: `${field}.path`, reason: "PathRefused", message: `${match}; it is left out` });
      return undefined;
    }
    return claim(host, match, path.path || "/", field, backendOf(path.backend, `${field}.backend`));
  };
  for (const [at, rule] of rules.entries()) {
    const host = (rule.host ?? "").toLowerCase();
    const field = `spec.rules[${at}]`;
    // CTL-137: a rule without paths leaves all to the default backend.
    if (rule.http === undefined && host === "") continue;
    const known = hosts.get(host) ?? { field: `${field}.host`, routes: [] };
    hosts.set(host, known);
    for (const [index, path] of (rule.http?.paths ?? []).entries()) {
      const route = readRule(path, host, `${field}.http.paths[${index}]`);
      if (route !== undefined) known.routes.push(route);
    }
  }

  const named = [...hosts.keys()].filter((host) => host !== "");
  const derived: DerivedClaim[] = [];
  const first = named[0] ?? (hosts.has("") ? "" : undefined);
  if (first !== undefined) {
    for (const alias of annotated.serverAliases) {
      const field = "metadata.annotations[nginx.ingress.kubernetes.io/server-alias]";
      const host = alias.toLowerCase();
      if (!hosts.has(host)) derived.push({ host, field, of: first, redirect: undefined });
    }
  }
  if (annotated.wwwRedirect) {
    for (const host of named) {
      const other = host.startsWith("www.") ? host.slice("www.".length) : `www.${host}`;
      if (host.startsWith("*") || hosts.has(other)) continue;
      const field = "metadata.annotations[nginx.ingress.kubernetes.io/from-to-www-redirect]";
      derived.push({ host: other, field, of: host, redirect: redirectTo(host, other) });
    }
  }

  function redirectTo(host: string, other: string): RoutePlan {
    return {
      id: `${key} ${other} www:`,
      ingress: own,
      host: other,
      match: EVERY_PATH,
      path: "/",
      settings: {
        ...base,
        refused: undefined,
        httpsRedirect: undefined,
        redirect: { to: { host }, status: PERMANENT_REDIRECT },
      },
      backend: undefined,
      affinity: undefined,
      canaries: [],
    };
  }

  return {
    key,
    name: own,
    age: `${creationTimestamp} ${key}`,
    canary: annotated.canary,
    hosts: [...hosts].map(([host, { field, routes }]) => ({ host, field, routes, rest: restOf(host) })),
    derived: annotated.canary === undefined ? derived : [],
    everything: annotated.canary === undefined ? restOf("") : undefined,
    tls: tls.flatMap((one, at) => readTls(one, `spec.tls[${at}]`, [...hosts.keys()], { namespace, view, now }, faults)),
    backends: [...backends.values()],
    faults,
  };
}

const INTERNAL_ERROR = "InternalError";

/** An Ingress whose reading came to grief: as it was before, or without anything, and told so. */
export function unreadable(ingress: Ingress, was: Reading | undefined, error: unknown): Reading {
  const { namespace = "", name = "", creationTimestamp = "" } = ingress.metadata;
  const key = keyOf(ingress);
  const why = error instanceof Error ? error.message : String(error);
  const now = was === undefined ? "it is left out" : "what it said before stays";
  const message = `reading this Ingress failed, which is a fault of Fairlead's own: ${why}; ${now}`;
  const fault: IngressFault = { field: "spec", reason: INTERNAL_ERROR, message };
  if (was !== undefined) {
    return { ...was, faults: [...was.faults.filter(({ reason }) => reason !== INTERNAL_ERROR), fault] };
  }
  return {
    key,
    name: { namespace, name },
    age: `${creationTimestamp} ${key}`,
    canary: undefined,
    hosts: [],
    derived: [],
    everything: undefined,
    tls: [],
    backends: [],
    faults: [fault],
  };
}

/** CTL-140: the names of an entry, without any those of the rules, each with the certificate of its Secret. */
function readTls(
  { hosts = [], secretName }: IngressTLS,
  field: string,
  rules: readonly string[],
  { namespace, view, now }: Pick<ReadingContext, "view" | "now"> & { readonly namespace: string },
  faults: IngressFault[],
): TlsClaim[] {
  const names = [...new Set(hosts.length > 0 ? hosts.map((host) => host.toLowerCase()) : rules)];
  const claims = (certificate: Certificate | undefined): TlsClaim[] =>
    names.map((name) => ({ name, field, secret: key, certificate }));
  const key = secretName ? `${namespace}/${secretName}` : undefined;
  if (key === undefined) return claims(undefined);
  const at = `${field}.secretName`;
  const secret = view.secret(key);
  if (secret === undefined) {
    const message = `there is no Secret ${key}; the default certificate is served until there is one`;
    faults.push({ field: at, reason: "CertificateNotFound", message });
    return claims(undefined);
  }
  const read = readSecret(secret);
  if (typeof read === "string") {
    const message = `Secret ${key} ${read}; the default certificate is served`;
    faults.push({ field: at, reason: "CertificateRefused", message });
    return claims(undefined);
  }
  if (read.remark !== undefined) {
    faults.push({ field: at, reason: "CertificateType", message: `Secret ${key} ${read.remark}; it is served` });
  }
  const strange = names.filter((name) => name !== "" && !covers(read.names, name));
  if (strange.length > 0) {
    const message = `the certificate in Secret ${key} is for ${read.names.join(", ") || "no name"} and should be for ${strange.join(", ")}; it is served`;
    faults.push({ field: `${field}.hosts`, reason: "CertificateHostMismatch", message });
  }
  const time = now === undefined ? undefined : timeFault(read, now);
  if (time !== undefined) {
    faults.push({
      field: at,
      reason: time.reason,
      message: `the certificate in Secret ${key} ${time.message}; it is served`,
    });
  }
  return claims(read.certificate);
}
