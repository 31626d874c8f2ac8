import type { Compiled } from "../compile/compile.ts";
import { serverWords } from "../compile/configuration.ts";
import { EXACT, HOSTS, PREFIX, routeMap, TOKENS } from "../compile/files.ts";
import type { HostEntries } from "../compile/paths.ts";
import type { ServerState } from "../compile/servers.ts";
import {
  addServer,
  addToMap,
  deleteFromMap,
  setAddress,
  setInMap,
  setState,
  setWeight,
  type Command,
} from "./protocol.ts";

/** Servers that HAProxy has, by `backend/name`: also those that take nothing any more and wait for their last connection. */
export interface KnownServer {
  readonly state: ServerState;
  /** It takes requests. */
  readonly on: boolean;
  /** It came by command, and can go by one; what the configuration named stays until the next one. */
  readonly isDynamic: boolean;
}

/** What leads from one state to another, in the order in which no request between two commands finds half of it. */
export interface Changes {
  /** What will be led to. */
  readonly before: readonly Command[];
  /** All expressions anew, where any of them changed: their order counts. Those of hosts that have none any more are still among them. */
  readonly expressions: readonly (readonly [string, string])[] | undefined;
  /** What leads there. */
  readonly turn: readonly Command[];
  /** What nothing leads to any more. */
  readonly after: readonly Command[];
  /** The servers that HAProxy has then. */
  readonly servers: ReadonlyMap<string, KnownServer>;
  /** A server has the name of one that waits for its end and was spoken to in another way: only a new start tells them apart. */
  readonly needsReload: boolean;
}

function mapChanges(
  map: string,
  was: readonly (readonly [string, string])[],
  is: readonly (readonly [string, string])[],
): { add: (readonly [string, string])[]; set: Command[]; remove: Command[] } {
  const old = new Map(was);
  const add: (readonly [string, string])[] = [];
  const set: Command[] = [];
  for (const [key, value] of is) {
    const had = old.get(key);
    old.delete(key);
    if (had === undefined) add.push([key, value]);
    else if (had !== value) set.push(setInMap(map, key, value));
  }
  return { add, set, remove: [...old.keys()].map((key) => deleteFromMap(map, key)) };
}

const NO_ENTRIES: HostEntries = { hosts: undefined, exact: [], prefix: [], expressions: [] };

/** Pure. Looks at each host and backend, and works for those that changed. */
export function changesBetween(was: Compiled, is: Compiled, known: ReadonlyMap<string, KnownServer>): Changes {
  const before: Command[] = [];
  const turn: Command[] = [];
  const after: Command[] = [];
  const servers = new Map(known);
  let needsReload = false;
  const additions = new Map<string, (readonly [string, string])[]>();
  const addTo = (map: string, entry: readonly [string, string]): void => {
    const entries = additions.get(map);
    if (entries === undefined) additions.set(map, [entry]);
    else entries.push(entry);
  };

  // Backends: servers, then the words that sessions are found by.
  const oldSlots = new Map([...was.slots.values()].map((slot) => [slot.name, slot]));
  const newNames = new Set<string>();
  for (const slot of is.slots.values()) {
    newNames.add(slot.name);
    const old = oldSlots.get(slot.name);
    if (old === slot) continue;
    if (old?.servers !== slot.servers) {
      for (const [name, state] of slot.servers) {
        const id = `${slot.name}/${name}`;
        const have = servers.get(id);
        if (have === undefined) before.push(addServer(id, serverWords(state)), setState(id, "ready"));
        else {
          if (have.state.words !== state.words) needsReload = true;
          if (have.state.address !== state.address || have.state.port !== state.port)
            before.push(setAddress(id, state.address, state.port));
          if (have.state.weight !== state.weight) before.push(setWeight(id, state.weight));
          if (!have.on) before.push(setState(id, "ready"));
        }
        servers.set(id, { state, on: true, isDynamic: have?.isDynamic ?? true });
      }
      for (const name of old?.servers.keys() ?? []) {
        if (slot.servers.has(name)) continue;
        const id = `${slot.name}/${name}`;
        const have = servers.get(id);
        if (have === undefined) continue;
        after.push(setState(id, "maint"));
        servers.set(id, { ...have, on: false });
      }
    }
    if (old?.tokens !== slot.tokens) {
      const { add, set, remove } = mapChanges(
        TOKENS,
        [...(old?.tokens ?? [])].map(([token, name]) => [`${slot.name}/${token}`, name]),
        [...slot.tokens].map(([token, name]) => [`${slot.name}/${token}`, name]),
      );
      for (const entry of add) addTo(TOKENS, entry);
      before.push(...set);
      after.push(...remove);
    }
  }
  for (const [name, slot] of oldSlots) {
    if (newNames.has(name)) continue;
    for (const server of slot.servers.keys()) {
      const id = `${name}/${server}`;
      const have = servers.get(id);
      if (have === undefined) continue;
      after.push(setState(id, "maint"));
      servers.set(id, { ...have, on: false });
    }
    for (const token of slot.tokens.keys()) after.push(deleteFromMap(TOKENS, `${name}/${token}`));
  }

  // Routes: their words by new numbers, then what leads to those, then the old words away.
  let expressionsChanged = false;
  const left: (readonly [string, string])[] = [];
  const compare = (host: string): void => {
    const old = was.hosts.get(host);
    const next = is.hosts.get(host);
    if (old === next) return;
    for (const { id, values } of next?.routes ?? [])
      for (const [name, value] of values) addTo(routeMap(name), [id, value]);
    for (const { id, values } of old?.routes ?? [])
      for (const name of values.keys()) after.push(deleteFromMap(routeMap(name), id));
    const from = old?.entries ?? NO_ENTRIES;
    const to = next?.entries ?? NO_ENTRIES;
    if (from.expressions.length > 0 || to.expressions.length > 0) expressionsChanged = true;
    // Their host is led elsewhere only after this; they go with the next change.
    if (to.expressions.length === 0) left.push(...from.expressions);
    const paths = [mapChanges(EXACT, from.exact, to.exact), mapChanges(PREFIX, from.prefix, to.prefix)] as const;
    for (const [at, map] of [EXACT, PREFIX].entries()) for (const entry of paths[at]!.add) addTo(map, entry);
    const hosts = mapChanges(
      HOSTS,
      from.hosts === undefined ? [] : [from.hosts],
      to.hosts === undefined ? [] : [to.hosts],
    );
    for (const entry of hosts.add) turn.push(...addToMap(HOSTS, [entry]));
    turn.push(...hosts.set, ...paths.flatMap(({ set }) => set));
    // A host that has gone leads nowhere before its paths do.
    after.unshift(...hosts.remove);
    after.push(...paths.flatMap(({ remove }) => remove));
  };
  for (const host of is.hosts.keys()) compare(host);
  for (const host of was.hosts.keys()) if (!is.hosts.has(host)) compare(host);
  for (const [map, entries] of additions) before.push(...addToMap(map, entries));

  return {
    before,
    turn,
    expressions: expressionsChanged
      ? [...[...is.hosts.values()].flatMap(({ entries }) => entries.expressions), ...left]
      : undefined,
    after,
    servers,
    needsReload,
  };
}
