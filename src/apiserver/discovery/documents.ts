import { apiVersionOf } from "../../api/object.ts";
import { discovered, type DiscoveredResource, type Served } from "./resources.ts";

interface Version {
  readonly group: string;
  readonly version: string;
  readonly kinds: readonly Served[];
}

/** Groups and versions in the order of the kinds, the core group first; within each, resources by name. */
export function versionsOf(kinds: readonly Served[]): Version[] {
  const versions = new Map<string, { group: string; version: string; kinds: Served[] }>();
  for (const kind of kinds) {
    const key = apiVersionOf(kind);
    const found = versions.get(key);
    if (found === undefined) versions.set(key, { group: kind.group, version: kind.version, kinds: [kind] });
    else found.kinds.push(kind);
  }
  for (const { kinds: mine } of versions.values()) mine.sort((a, b) => (a.plural < b.plural ? -1 : 1));
  return [...versions.values()].sort((a, b) => Number(a.group !== "") - Number(b.group !== ""));
}

const groupVersion = ({ group, version }: Version): { groupVersion: string; version: string } => ({
  groupVersion: apiVersionOf({ group, version }),
  version,
});

const apiGroup = (group: string, versions: readonly Version[]): object => ({
  name: group,
  versions: versions.map(groupVersion),
  preferredVersion: groupVersion(versions[0]!),
});

const byGroup = (kinds: readonly Served[]): Map<string, Version[]> =>
  Map.groupBy(versionsOf(kinds), ({ group }) => group);

/** `/api` */
export const apiVersions = (kinds: readonly Served[], serverAddress: string): object => ({
  kind: "APIVersions",
  versions: versionsOf(kinds)
    .filter(({ group }) => group === "")
    .map(({ version }) => version),
  serverAddressByClientCIDRs: [{ clientCIDR: "0.0.0.0/0", serverAddress }],
});

/** `/apis` */
export const apiGroupList = (kinds: readonly Served[]): object => ({
  kind: "APIGroupList",
  apiVersion: "v1",
  groups: [...byGroup(kinds)].filter(([group]) => group !== "").map(([group, versions]) => apiGroup(group, versions)),
});

/** `/apis/GROUP`; undefined for a group that is not served. */
export function apiGroupDocument(kinds: readonly Served[], group: string): object | undefined {
  const versions = byGroup(kinds).get(group);
  if (versions === undefined || group === "") return undefined;
  return { kind: "APIGroup", apiVersion: "v1", ...apiGroup(group, versions) };
}

const isForeign = (resource: DiscoveredResource, at: Version): boolean =>
  resource.group !== at.group || resource.version !== at.version;

const apiResource = (resource: DiscoveredResource, at: Version): object => ({
  name: resource.name,
  singularName: resource.singular,
  namespaced: resource.namespaced,
  ...(isForeign(resource, at) ? { group: resource.group, version: resource.version } : {}),
  kind: resource.kind,
  verbs: resource.verbs,
  ...(resource.shortNames.length === 0 ? {} : { shortNames: resource.shortNames }),
  ...(resource.categories.length === 0 ? {} : { categories: resource.categories }),
});

/** `/api/v1`, `/apis/GROUP/VERSION`; undefined for a version that is not served. */
export function apiResourceList(kinds: readonly Served[], group: string, version: string): object | undefined {
  const found = versionsOf(kinds).find((one) => one.group === group && one.version === version);
  if (found === undefined) return undefined;
  return {
    kind: "APIResourceList",
    // The core group is older than the field, and upstream leaves it out there.
    ...(group === "" ? {} : { apiVersion: "v1" }),
    groupVersion: apiVersionOf(found),
    resources: found.kinds.flatMap(discovered).map((resource) => apiResource(resource, found)),
  };
}

/** The kind that a resource answers with; its group and version only where they are not those of the resource. */
const responseKind = (resource: DiscoveredResource, at: Version): object => {
  const { group, version } = isForeign(resource, at) ? resource : { group: "", version: "" };
  return { group, version, kind: resource.kind };
};
const scope = ({ namespaced }: DiscoveredResource): string => (namespaced ? "Namespaced" : "Cluster");

function aggregatedResource(kind: Served, at: Version): object {
  const [resource, ...below] = discovered(kind);
  return {
    resource: resource!.name,
    responseKind: responseKind(resource!, at),
    scope: scope(resource!),
    singularResource: resource!.singular,
    verbs: resource!.verbs,
    ...(resource!.shortNames.length === 0 ? {} : { shortNames: resource!.shortNames }),
    ...(resource!.categories.length === 0 ? {} : { categories: resource!.categories }),
    ...(below.length === 0
      ? {}
      : {
          subresources: below.map((one) => ({
            subresource: one.name.slice(kind.plural.length + 1),
            responseKind: responseKind(one, at),
            verbs: one.verbs,
          })),
        }),
  };
}

/** Everything at once: `/api` or `/apis` asked for as APIGroupDiscoveryList, `v2` or `v2beta1`. */
export const aggregatedDiscovery = (kinds: readonly Served[], isCore: boolean, version: string): object => ({
  kind: "APIGroupDiscoveryList",
  apiVersion: `apidiscovery.k8s.io/${version}`,
  metadata: {},
  items: [...byGroup(kinds)]
    .filter(([group]) => (group === "") === isCore)
    .map(([group, versions]) => ({
      metadata: group === "" ? {} : { name: group },
      versions: versions.map((one) => ({
        version: one.version,
        resources: one.kinds.map((kind) => aggregatedResource(kind, one)),
        freshness: "Current",
      })),
    })),
});

/** `/`: every path that says something. */
export function rootPaths(kinds: readonly Served[]): object {
  const versions = versionsOf(kinds).flatMap(({ group, version }) =>
    group === "" ? [`/api/${version}`] : [`/apis/${group}`, `/apis/${group}/${version}`],
  );
  const own = ["/api", "/apis", "/apis/", "/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/readyz", "/version"];
  return { paths: [...new Set([...own, ...versions])].sort() };
}
