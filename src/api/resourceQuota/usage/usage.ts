import type { PersistentVolumeClaim, Pod, ResourceQuotaSpec, Service } from "../../generated/types.ts";
import { addQuantities, count, subtractQuantities, ZERO, type Quantity } from "../../meta/quantity.ts";
import { sameJson } from "../../meta/values.ts";
import type { KubeObject, Resource } from "../../object.ts";
import { isTerminal } from "../../pod/graceSeconds.ts";
import {
  configMaps,
  events,
  persistentVolumeClaims,
  pods,
  replicationControllers,
  resourceQuotas,
  secrets,
  services,
} from "../../resources.ts";
import { attributesClassesOf, claimUsage, isClaimName } from "./claims.ts";
import { computeOf, isComputeName } from "./compute.ts";
import { isClaimInScope, isInScope } from "./scopes.ts";

type Named = Pick<Resource, "group" | "plural">;
/** Amounts by their name in a quota. */
export type Usage = ReadonlyMap<string, Quantity>;

const is = (resource: Named, other: Named): boolean =>
  resource.group === other.group && resource.plural === other.plural;

/** Resources that quotas counted by their plain name before `count/…` was there. */
const ALIASED = [configMaps, replicationControllers, resourceQuotas, secrets];

/** `count/services`, `count/ingresses.networking.k8s.io`. */
const countName = ({ group, plural }: Named): string => `count/${plural}${group === "" ? "" : `.${group}`}`;

/** Events have never been limited: who has no room left must be able to learn why. */
export const isCounted = (resource: Resource): boolean => resource.namespaced && resource.plural !== events.plural;

/** Whether what an object counts for may change while it is there. */
export const mayChangeUsage = (resource: Named): boolean =>
  is(resource, services) || is(resource, pods) || is(resource, persistentVolumeClaims);

/** SVC-306. What is meant counts, not what has been allocated. */
function nodePortsOf({ spec }: Service): number {
  const ports = spec?.ports ?? [];
  if (spec?.type === "NodePort") return ports.length;
  if (spec?.type !== "LoadBalancer") return 0;
  return spec.allocateLoadBalancerNodePorts === false ? ports.filter(({ nodePort }) => nodePort).length : ports.length;
}

function usageOf(resource: Named, object: KubeObject): Usage {
  const name = countName(resource);
  if (is(resource, services)) {
    const service = object as Service;
    return new Map([
      [name, count(1)],
      ["services", count(1)],
      ["services.loadbalancers", count(service.spec?.type === "LoadBalancer" ? 1 : 0)],
      ["services.nodeports", count(nodePortsOf(service))],
    ]);
  }
  if (is(resource, pods)) {
    // What has ended takes no room on any machine; it is still an object.
    if (isTerminal(object as Pod)) return new Map([[name, count(1)]]);
    return new Map([[name, count(1)], ["pods", count(1)], ...computeOf(object as Pod)]);
  }
  if (is(resource, persistentVolumeClaims)) {
    return new Map([[name, count(1)], ...claimUsage(object as PersistentVolumeClaim)]);
  }
  if (ALIASED.some((aliased) => is(resource, aliased))) {
    return new Map([
      [name, count(1)],
      [resource.plural, count(1)],
    ]);
  }
  return new Map([[name, count(1)]]);
}

/** Whether an object may count for something else after a change than before; what cannot is not looked into further. */
export function isOtherUsage(resource: Named, previous: KubeObject, next: KubeObject): boolean {
  if (is(resource, pods)) {
    const [before, after] = [previous as Pod, next as Pod];
    return isTerminal(before) !== isTerminal(after) || !sameJson(before.spec, after.spec);
  }
  if (is(resource, persistentVolumeClaims)) {
    const classes = [previous, next].map((claim) =>
      attributesClassesOf(claim as PersistentVolumeClaim)
        .sort()
        .join(),
    );
    if (classes[0] !== classes[1]) return true;
  } else if (!is(resource, services)) return false;
  const [before, after] = [usageOf(resource, previous), usageOf(resource, next)];
  return before.size !== after.size || [...after].some(([name, { nano }]) => before.get(name)?.nano !== nano);
}

/** Whether objects of a resource count under a name. */
function isNameOf(resource: Named, name: string): boolean {
  if (name === countName(resource)) return true;
  if (is(resource, services)) return ["services", "services.loadbalancers", "services.nodeports"].includes(name);
  if (is(resource, pods)) return name === "pods" || isComputeName(name);
  if (is(resource, persistentVolumeClaims)) return isClaimName(name);
  return name === resource.plural && ALIASED.some((aliased) => is(resource, aliased));
}

/** The names under which a quota limits objects of a resource. */
export const namesOf = (spec: ResourceQuotaSpec, resource: Named): string[] =>
  Object.keys(spec.hard ?? {}).filter((name) => isNameOf(resource, name));

/** What an object counts for in a quota; nothing for no object. */
function usageIn(spec: ResourceQuotaSpec, resource: Named, object: KubeObject | undefined): Usage {
  if (object === undefined) return new Map();
  const isIn = is(resource, persistentVolumeClaims)
    ? isClaimInScope(spec, object as PersistentVolumeClaim)
    : isInScope(spec, is(resource, pods) ? (object as Pod) : undefined);
  if (!isIn) return new Map();
  return usageOf(resource, object);
}

/** What a quota says of all objects of a resource together: an amount for each of its names that are about them. */
export function totalUsage(spec: ResourceQuotaSpec, resource: Named, objects: Iterable<KubeObject>): Usage {
  const total = new Map(namesOf(spec, resource).map((name) => [name, ZERO]));
  for (const object of objects) {
    const usage = usageIn(spec, resource, object);
    for (const [name, sum] of total) total.set(name, addQuantities(sum, usage.get(name) ?? ZERO));
  }
  return total;
}

/** By how much a quota's usage grows, or shrinks, when an object becomes another; only what does change. */
export function usageChange(
  spec: ResourceQuotaSpec,
  resource: Named,
  previous: KubeObject | undefined,
  next: KubeObject | undefined,
): Usage {
  const [before, after] = [usageIn(spec, resource, previous), usageIn(spec, resource, next)];
  return new Map(
    namesOf(spec, resource)
      .map((name) => [name, subtractQuantities(after.get(name) ?? ZERO, before.get(name) ?? ZERO)] as const)
      .filter(([, change]) => change.nano !== 0n),
  );
}
