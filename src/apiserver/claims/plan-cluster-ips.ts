import { invalid } from "../../api/fault.ts";
import type { Service, ServiceSpec } from "../../api/generated/types.ts";
import { lenientIP } from "../../api/meta/ip.ts";
import { isHeadless, needsClusterIP } from "../../api/service/needs.ts";
import { invalidObject, type ApiError } from "../../api/status.ts";
import { internalError } from "../errors.ts";
import type { Cidr } from "../../net/cidr.ts";
import { fromNumber, toNumber, type IPFamily } from "../../net/ip.ts";
import type { Condition } from "../../store/store.ts";
import { addressBands, usableIn } from "./bands.ts";
import { findFree } from "./find-free.ts";
import type { ClaimsObserver } from "./observer.ts";
import type { ClaimReader, Ranges, ServedRange } from "./reader.ts";

/** What allocation works with. */
export interface AddressPool {
  readonly reader: Pick<ClaimReader, "address" | "takenAddresses">;
  readonly ranges: Ranges;
  readonly random: () => number;
  readonly dryRun: boolean;
  readonly hint: (family: IPFamily) => Set<bigint>;
  readonly observer: ClaimsObserver;
}

/** An address, and the range it is of. */
interface Taken {
  readonly ip: string;
  readonly range: ServedRange;
}

const rangesOf = ({ ranges }: AddressPool, family: string): readonly ServedRange[] =>
  ranges.ready.filter(({ cidr }) => cidr.family === family);

/** Whether an address of a range may be handed out: neither the network's own nor IPv4's broadcast (SVC-117). */
function offers(cidr: Cidr, ip: string): boolean {
  const { first, last } = usableIn(cidr);
  const number = toNumber(ip);
  return number >= first && number <= last;
}

/** An address that was asked for by name must lie in a range that serves, and be free (SVC-122 … SVC-125). */
async function takeExplicit(pool: AddressPool, service: Service, text: string, family: string): Promise<Taken> {
  const start = performance.now();
  const ip = lenientIP(text) ?? text;
  const range = rangesOf(pool, family).find(({ cidr }) => offers(cidr, ip));
  const refuse = (why: string): ApiError => {
    const fault = invalid("spec.clusterIPs", service.spec?.clusterIPs, `failed to allocate IP ${text}: ${why}`);
    return invalidObject("", "Service", service.metadata.name ?? "", [fault]);
  };
  if (range === undefined) {
    const [first] = rangesOf(pool, family);
    throw refuse(
      pool.dryRun && first !== undefined
        ? `the provided IP (${ip}) is not in the valid range. The range of valid IPs is ${first.cidr.text}`
        : "the provided network does not match the current range",
    );
  }
  if (pool.dryRun) return { ip, range };
  if ((await pool.reader.address(ip)) !== undefined) {
    pool.observer.addressRefused(range.cidr.text, "static");
    throw refuse("provided IP is already allocated");
  }
  pool.observer.addressTaken(range.cidr.text, "static", (performance.now() - start) / 1000);
  return { ip, range };
}

/** SVC-121, SVC-123, SVC-126; a dry run answers a placeholder (SVC-114). */
async function takeAny(pool: AddressPool, service: Service, family: IPFamily): Promise<Taken> {
  const ranges = rangesOf(pool, family);
  if (pool.dryRun && ranges[0] !== undefined) {
    return { ip: fromNumber(ranges[0].cidr.first, family), range: ranges[0] };
  }
  for (const range of ranges) {
    const { cidr } = range;
    const start = performance.now();
    const found = await findFree({
      bands: addressBands(cidr),
      random: pool.random,
      hint: pool.hint(family),
      excluded: new Set(),
      isTaken: async (number) => (await pool.reader.address(fromNumber(number, family))) !== undefined,
      readTaken: () => pool.reader.takenAddresses(family),
    });
    if (found === undefined) {
      pool.observer.addressRefused(cidr.text, "dynamic");
      continue;
    }
    pool.hint(family).add(found);
    pool.observer.addressTaken(cidr.text, "dynamic", (performance.now() - start) / 1000);
    return { ip: fromNumber(found, family), range };
  }
  const what = `failed to allocate a serviceIP for Service ${JSON.stringify(service.metadata.name ?? "")}: range is full`;
  throw internalError(what);
}

const grows = (next: Service, previous: Service): boolean =>
  (previous.spec?.ipFamilies?.length ?? 1) < (next.spec?.ipFamilies?.length ?? 1);

/** How many families a Service has addresses for already: all of them, unless it is new, was an alias, or takes a second family. */
function covered(next: Service, previous: Service | undefined): number {
  if (previous === undefined || !needsClusterIP(previous)) return isHeadless(next) ? 2 : 0;
  // A headless Service has no addresses and can get none. One that shall become headless is refused later (SVC-093).
  return !isHeadless(previous) && grows(next, previous) ? (previous.spec?.clusterIPs?.length ?? 1) : 2;
}

/** A Service with its addresses, and what must be true of the ranges they are of when it is stored. */
export interface PlannedAddresses {
  readonly service: Service;
  readonly conditions: readonly Condition[];
}

/**
 * The Service with an address for each of its families. `next` must have gone through `planFamilies`.
 *
 * @throws ApiError Invalid for an address that cannot be had, InternalError when a range is full
 */
export async function planClusterIPs(
  pool: AddressPool,
  next: Service,
  previous: Service | undefined,
): Promise<PlannedAddresses> {
  const families = needsClusterIP(next) ? (next.spec?.ipFamilies ?? []) : [];
  const kept = covered(next, previous);
  if (kept >= families.length) return { service: next, conditions: [] };
  const clusterIPs = [...(next.spec?.clusterIPs ?? [])];
  while (clusterIPs.length < families.length) clusterIPs.push("");
  const spec: ServiceSpec = { ...next.spec, clusterIPs };
  const service: Service = { ...next, spec };
  // Two addresses may be of one ServiceCIDR.
  const conditions = new Map<string, Condition>();
  for (const [index, family] of families.entries()) {
    if (index < kept) continue;
    const given = clusterIPs[index];
    const { ip, range } = given
      ? await takeExplicit(pool, service, given, family)
      : await takeAny(pool, next, family as IPFamily);
    // What was given keeps its form (SVC-128).
    clusterIPs[index] = given || ip;
    if (range.condition !== undefined) conditions.set(range.condition.key, range.condition);
  }
  spec.clusterIP ||= clusterIPs[0];
  return { service, conditions: [...conditions.values()] };
}
