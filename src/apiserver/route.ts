import type { Kind } from "../api/kind.ts";
import { ApiError } from "../api/status.ts";
import { segmentsOf } from "./segments.ts";

/** A request for objects: `/api/v1/namespaces/NS/PLURAL/NAME/SUBRESOURCE` and its relatives. */
export interface ResourceRoute {
  readonly kind: Kind;
  /** Undefined for a cluster-wide kind, and for a list over all namespaces; `""` where the path has nothing in its place. */
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
  /** What follows `/proxy` in the path, as it was written: `` or `/x/y`. Undefined for every other path. */
  readonly proxied?: string;
  /** The deprecated `/watch/` form of the path. */
  readonly watch: boolean;
}

const NOT_FOUND = "the server could not find the requested resource";

export const pathNotFound = (): ApiError => new ApiError("NotFound", NOT_FOUND, {});

/** Kinds by `group/version/plural`, for the router and for discovery. */
export class KindIndex {
  readonly all: readonly Kind[];
  readonly #byPath: ReadonlyMap<string, Kind>;

  constructor(kinds: readonly Kind[]) {
    this.all = kinds;
    this.#byPath = new Map(kinds.map((kind) => [`${kind.group}/${kind.version}/${kind.plural}`, kind]));
  }

  find(group: string, version: string, plural: string): Kind | undefined {
    return this.#byPath.get(`${group}/${version}/${plural}`);
  }

  hasVersion(group: string, version: string): boolean {
    return this.all.some((kind) => kind.group === group && kind.version === version);
  }
}

/** Words that follow a namespace's own name, as against the plural of a kind in that namespace. */
const NAMESPACE_SUBRESOURCES = new Set(["status", "finalize"]);

/** The proxy of a Service or pod, and what is asked of it. */
const PROXY = /^(\/api\/v1\/namespaces\/[^/]+\/(?:services|pods)\/[^/]+\/proxy)(\/.*)$/;

/**
 * Reads the fixed URL grammar of the Kubernetes API. Undefined is a path that names no objects (discovery, health, documents).
 *
 * @throws ApiError NotFound for a group, version or resource that is not served
 */
export function readRoute(url: string, kinds: KindIndex): ResourceRoute | undefined {
  // What is asked of the proxied server is its own affair: it goes on as it was written.
  const [, path = url, proxied] = PROXY.exec(url) ?? [];
  const segments = segmentsOf(path);
  const core = segments[0] === "api";
  if (!core && segments[0] !== "apis") return undefined;
  const [group, version] = core ? ["", segments[1]] : [segments[1] ?? "", segments[2]];
  let rest = segments.slice(core ? 2 : 3);
  if (version === undefined || rest.length === 0) return undefined;
  const watch = rest[0] === "watch" && rest.length > 1;
  if (watch) rest = rest.slice(1);
  let namespace: string | undefined;
  if (rest[0] === "namespaces" && rest.length > 2 && !(rest.length === 3 && NAMESPACE_SUBRESOURCES.has(rest[2]!))) {
    namespace = rest[1]!;
    rest = rest.slice(2);
  }
  const [plural = "", name, subresource] = rest;
  const kind = kinds.find(group, version, plural);
  if (kind === undefined || rest.length > 3 || rest.includes("")) throw pathNotFound();
  // An object of a namespace is only found in its namespace; a cluster-wide one never is.
  if (kind.namespaced ? namespace === undefined && name !== undefined : namespace !== undefined) throw pathNotFound();
  const route = { kind, namespace, name, subresource, watch };
  const isProxied = group === "" && (plural === "services" || plural === "pods");
  return isProxied && subresource === "proxy" ? { ...route, proxied: proxied ?? "" } : route;
}
