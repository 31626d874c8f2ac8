import type { Host } from "../../../host/host.ts";
import type { Log } from "../../../observe/log.ts";
import type { Desired } from "../../engine.ts";
import type { CarriedPort } from "./carrier/carried.ts";
import type { CarrierLink } from "./carrier-process.ts";
import type { UserspacePart } from "./compile.ts";
import type { UserspaceFrame } from "./frame.ts";
import { changeRoutes, isForbidden, makeLink, readRoutes } from "./routes.ts";
import type { UserspaceState } from "./state.ts";

export interface ApplyGround {
  readonly host: Host;
  readonly log: Log;
  /** The carrier as it runs; started if there is none. */
  readonly carrier: () => Promise<CarrierLink>;
}

const isRange = (destination: string): boolean => destination.includes("/");

/** Takes the parts in: what changes for the carrier, and how often each address is wanted. */
function take(next: Desired<UserspacePart, UserspaceFrame>, state: UserspaceState): Map<string, CarriedPort | null> {
  const candidates = state.frame === undefined ? undefined : next.changed;
  const ports = new Map<string, CarriedPort | null>();
  const count = (part: UserspacePart | undefined, by: 1 | -1): void => {
    for (const ip of part?.addresses ?? []) {
      const now = (state.wanted.get(ip) ?? 0) + by;
      if (now === 0) state.wanted.delete(ip);
      else state.wanted.set(ip, now);
    }
  };
  for (const key of candidates ?? new Set([...next.parts.keys(), ...state.parts.keys()])) {
    const was = state.parts.get(key);
    const now = next.parts.get(key);
    if (was === now) continue;
    for (const { id } of was?.ports ?? []) if (!ports.has(id)) ports.set(id, null);
    for (const port of now?.ports ?? []) ports.set(port.id, port);
    count(now, 1);
    count(was, -1);
    if (now === undefined) state.parts.delete(key);
    else state.parts.set(key, now);
  }
  return ports;
}

/** What must be added, and what must go: of all, or only of the addresses that may differ. */
function difference(
  frame: UserspaceFrame,
  state: UserspaceState,
  touched: Iterable<string>,
): { missing: string[]; excess: string[] } {
  const ranges = new Set(frame.ranges);
  const isWanted = (one: string): boolean => (isRange(one) ? ranges.has(one) : state.wanted.has(one));
  const missing: string[] = [];
  const excess: string[] = [];
  for (const one of new Set(touched)) {
    if (isWanted(one) && !state.held.has(one)) missing.push(one);
    else if (!isWanted(one) && state.held.has(one)) excess.push(one);
  }
  return { missing, excess };
}

async function permission({ host, log }: ApplyGround): Promise<boolean> {
  try {
    await makeLink(host);
    return true;
  } catch (error) {
    if (!isForbidden(error)) throw error;
    log.warn(
      { complaint: (error as Error).message },
      "Service addresses cannot be made this machine's: without rights over the network only node ports, and addresses that are there, are carried",
    );
    return false;
  }
}

/** Makes addresses and sockets what `next` says. Throws when a tool fails or the carrier ends; then nothing is known and `read` must come first. */
export async function apply(
  ground: ApplyGround,
  next: Desired<UserspacePart, UserspaceFrame>,
  state: UserspaceState,
  signal: AbortSignal,
): Promise<UserspaceState> {
  const { host } = ground;
  const { frame } = next;
  const isFirst = state.frame === undefined;
  const before = isFirst ? [] : [...(next.changed ?? state.parts.keys())];
  const touched = new Set<string>(isFirst || state.frame !== frame ? [...state.held, ...frame.ranges] : []);
  for (const key of before) for (const ip of state.parts.get(key)?.addresses ?? []) touched.add(ip);
  const changes = take(next, state);
  for (const key of next.changed === undefined || isFirst ? state.parts.keys() : next.changed) {
    for (const ip of state.parts.get(key)?.addresses ?? []) touched.add(ip);
  }

  state.isPermitted ??= await permission(ground);
  const { missing, excess } = difference(frame, state, touched);
  const change = async (how: "add" | "del", destinations: readonly string[]): Promise<void> => {
    if (state.isPermitted !== true || destinations.length === 0) return;
    if (!(await changeRoutes(host, how, destinations, signal))) state.held = await readRoutes(host, signal);
    else if (how === "add") for (const one of destinations) state.held.add(one);
    else for (const one of destinations) state.held.delete(one);
  };
  // An address is there before anybody listens on it, and listened on for as long as it is there.
  await change("add", missing);
  const carrier = await ground.carrier();
  const full = isFirst || state.carrier !== carrier;
  const ports = full
    ? [...state.parts.values()].flatMap((part) => part.ports.map((port) => [port.id, port] as const))
    : [...changes];
  if (full || ports.length > 0) {
    state.refused = await carrier.set({ full, anyAddress: state.isPermitted, ports });
  }
  state.carrier = carrier;
  await change("del", excess);
  state.frame = frame;
  return state;
}
