import { isDeepStrictEqual } from "node:util";
import type { BackendPlan, HostPlan, IngressPlan, RoutePlan } from "../../../plan/plan.ts";
import { hasNames, inability } from "../abilities.ts";
import { hostEntries, type HostEntries } from "./paths.ts";
import { profileOf, type Profile } from "./profile.ts";
import { wordsOf, type RouteMap } from "./record.ts";
import { serversOf, tokensOf, type ServerState } from "./servers.ts";

/** The backend that leads to the engine behind. */
export const BEHIND = "behind";
/** How many names of cookies rules are made for; routes with more are handed to the engine behind. */
const MAXIMUM_COOKIES = 64;

/** A route as it is carried: its number is new whenever anything of it is. */
export interface CompiledRoute {
  readonly id: string;
  readonly plan: RoutePlan;
  /** A backend's name; {@link BEHIND}; or `-` where an answer is made without one. */
  readonly slot: string;
  readonly flags: string;
  readonly values: ReadonlyMap<RouteMap, string>;
}

interface CompiledHost {
  readonly plan: HostPlan;
  readonly entries: HostEntries;
  readonly routes: readonly CompiledRoute[];
}

/** A backend of HAProxy's: a place that is declared at start and filled while it runs. */
interface CompiledSlot {
  readonly name: string;
  readonly profile: Profile;
  readonly plan: BackendPlan;
  readonly servers: ReadonlyMap<string, ServerState>;
  readonly tokens: ReadonlyMap<string, string>;
}

/** What HAProxy is to do. Parts of an earlier one that nothing touched are the same objects. */
export interface Compiled {
  readonly plan: IngressPlan;
  readonly hosts: ReadonlyMap<string, CompiledHost>;
  /** By profile and backend id. */
  readonly slots: ReadonlyMap<string, CompiledSlot>;
  /** In the order of their numbers. */
  readonly cookies: readonly string[];
  /** The highest number of a route so far. */
  readonly routes: number;
  readonly slotCount: number;
  /** Something in it is in no configuration that HAProxy was started with. */
  readonly needsReload: boolean;
}

/** What the running HAProxy was started with: the profile of each backend by its name, and cookies. */
export interface Declared {
  readonly slots: ReadonlyMap<string, Profile>;
  readonly cookies: readonly string[];
}

export const NOTHING_DECLARED: Declared = { slots: new Map(), cookies: [] };

const sameMap = <V>(one: ReadonlyMap<string, V>, other: ReadonlyMap<string, V>): boolean =>
  one.size === other.size && [...one].every(([key, value]) => isDeepStrictEqual(other.get(key), value));

const EMPTY: ReadonlyMap<string, string> = new Map();
const NO_VALUES: ReadonlyMap<RouteMap, string> = new Map();

/** Ids of backends whose coming, going or settings mean something to routes. */
function changedBackends(plan: IngressPlan, previous: IngressPlan | undefined): Set<string> {
  const changed = new Set<string>();
  if (previous === undefined) return changed;
  for (const [id, backend] of plan.backends) {
    const was = previous.backends.get(id);
    if (was === backend) continue;
    if (was === undefined || hasNames(was) !== hasNames(backend) || !isDeepStrictEqual(was.settings, backend.settings))
      changed.add(id);
  }
  for (const id of previous.backends.keys()) if (!plan.backends.has(id)) changed.add(id);
  return changed;
}

/** Pure: the same plan after the same state is the same answer. Costs as much as changed, and a look at each host and backend. */
export function compile(plan: IngressPlan, previous: Compiled | undefined, declared: Declared): Compiled {
  const changed = changedBackends(plan, previous?.plan);
  const cookies = [...(previous?.cookies ?? [])];
  const slots = new Map<string, CompiledSlot>();
  let needsReload = false;
  let routeCount = previous?.routes ?? 0;
  let slotCount = previous?.slotCount ?? 0;
  let free: Map<string, string[]> | undefined;

  const cookieIndex = (name: string): number => {
    const known = cookies.indexOf(name);
    return known >= 0 ? known : cookies.push(name) - 1;
  };

  /** Places that nobody has: neither before, so that what is left of an earlier backend is gone by then, nor now. */
  const takeFree = (profile: Profile): string | undefined => {
    if (free === undefined) {
      free = new Map();
      const taken = new Set([...(previous?.slots.values() ?? [])].map(({ name }) => name));
      for (const [name, { name: kind }] of declared.slots) {
        if (taken.has(name)) continue;
        const names = free.get(kind);
        if (names === undefined) free.set(kind, [name]);
        else names.push(name);
      }
    }
    return free.get(profile.name)?.pop();
  };

  const fill = (key: string, profile: Profile, backend: BackendPlan): CompiledSlot => {
    const have = slots.get(key);
    if (have !== undefined) return have;
    const was = previous?.slots.get(key);
    let slot: CompiledSlot;
    if (was?.plan === backend) slot = was;
    else {
      const servers = serversOf(backend);
      const tokens = profile.rich ? tokensOf(backend) : EMPTY;
      slot = {
        name: was?.name ?? takeFree(profile) ?? `b${++slotCount}`,
        profile,
        plan: backend,
        servers: was !== undefined && sameMap(was.servers, servers) ? was.servers : servers,
        tokens: was !== undefined && sameMap(was.tokens, tokens) ? was.tokens : tokens,
      };
    }
    if (!declared.slots.has(slot.name)) needsReload = true;
    slots.set(key, slot);
    return slot;
  };

  const compileRoute = (route: RoutePlan): CompiledRoute => {
    const id = `r${++routeCount}`;
    const backend = route.backend === undefined ? undefined : plan.backends.get(route.backend);
    const isBehind =
      inability(route, backend) !== undefined ||
      (route.affinity !== undefined &&
        !cookies.includes(route.affinity.name) &&
        (cookies.length >= MAXIMUM_COOKIES || !/^[A-Za-z0-9_.-]+$/.test(route.affinity.name)));
    if (route.settings.refused === undefined && isBehind)
      return { id, plan: route, slot: BEHIND, flags: "", values: NO_VALUES };
    const words = wordsOf({ ...route, backend: backend && route.backend }, cookieIndex);
    let name = "-";
    if (backend !== undefined && route.settings.refused === undefined) {
      const profile = profileOf(backend, route, words.rich);
      const key = `${profile.name} ${backend.id}`;
      name = fill(key, profile, backend).name;
    }
    return { id, plan: route, slot: name, flags: words.flags, values: words.values };
  };
  const recordOf = ({ slot, id, flags }: CompiledRoute): string => `${slot}|${id}|${flags}`;

  const compileHost = (host: HostPlan): CompiledHost => {
    const routes: CompiledRoute[] = [];
    const entries = hostEntries(
      host,
      (route) => {
        const compiled = compileRoute(route);
        routes.push(compiled);
        return recordOf(compiled);
      },
      () => `${BEHIND}|r0|`,
    );
    return { plan: host, entries, routes };
  };

  const hosts = new Map<string, CompiledHost>();
  const anew: HostPlan[] = [];
  const slotKeys = new Map<string, string>();
  for (const [key, { name }] of previous?.slots ?? []) slotKeys.set(name, key);
  for (const [name, host] of plan.hosts) {
    const was = previous?.hosts.get(name);
    const stays =
      was?.plan === host && (changed.size === 0 || !host.routes.some(({ backend }) => changed.has(backend ?? "")));
    if (!stays) {
      anew.push(host);
      // Holds its place in the order.
      hosts.set(name, {
        plan: host,
        entries: { hosts: undefined, exact: [], prefix: [], expressions: [] },
        routes: [],
      });
      continue;
    }
    hosts.set(name, was);
    for (const { slot } of was.routes) {
      const key = slotKeys.get(slot);
      if (key === undefined) continue;
      const { profile, plan: backend } = previous!.slots.get(key)!;
      fill(key, profile, plan.backends.get(backend.id)!);
    }
  }
  // Last, so that every place that is still needed is known.
  for (const host of anew) hosts.set(host.host, compileHost(host));

  if (cookies.some((name) => !declared.cookies.includes(name))) needsReload = true;
  return { plan, hosts, slots, cookies, routes: routeCount, slotCount, needsReload };
}
