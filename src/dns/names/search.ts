import type { Contents } from "./contents.ts";
import { isReverseZone } from "./name.ts";
import { dependsOn, RCODE, TYPE, type Lookup } from "./record.ts";
import { zoneFor, type Zone, type Zones } from "./zone.ts";

type Find = (contents: Contents, zones: Zones, zone: Zone, labels: readonly string[], type: number) => Lookup;

/** The labels behind `_port._protocol`, if a name has them: what the service is looked for at. */
const hostIn = (labels: readonly string[]): readonly string[] => {
  const first = labels.findIndex((label) => !label.startsWith("_"));
  return first === -1 ? [] : labels.slice(first);
};

/**
 * A name that is not there, in the zone that pods' search lists are made of, marked with what it would be without the first domain of a pod's search list: `REST.NAMESPACE.svc.ZONE`
 * where the namespace exists, the rest has a dot, and no name of the cluster is meant by it with any of the list's three
 * domains. A rest of one label never is: it is a Service's, which may not be there yet. Neither is one that is a cluster's
 * name in full. All that was looked at is in `depends`, so that a Service made later under one of the names is found at once.
 */
export function withSearch(
  contents: Contents,
  zones: Zones,
  zone: Zone,
  labels: readonly string[],
  found: Lookup,
  find: Find,
): Lookup {
  const depth = labels.length - zone.labels.length;
  const namespace = labels[depth - 2];
  if (zone !== zones.primary || namespace === undefined || labels[depth - 1] !== "svc") return found;
  const rest = labels.slice(0, depth - 2);
  if (hostIn(rest).length < 2 || isReverseZone(rest) || zoneFor(zones, rest) !== undefined) return found;
  const depends = new Set([...found.depends, dependsOn.namespace(namespace)]);
  const answer = { ...found, depends: [] };
  let isName = !contents.hasNamespace(namespace);
  for (const domain of [["svc", ...zone.labels], zone.labels]) {
    if (isName) break;
    const other = find(contents, zones, zone, [...rest, ...domain], TYPE.A);
    for (const word of other.depends) depends.add(word);
    isName = other.answer.rcode !== RCODE.NXDOMAIN;
  }
  return isName
    ? { ...answer, depends: [...depends] }
    : { ...answer, depends: [...depends], search: { namespace, rest } };
}
