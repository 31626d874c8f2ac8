import type { IPAddress, ServiceCIDR } from "../../api/generated/types.ts";
import { cidrContains, parseCidr, type Cidr } from "../../net/cidr.ts";

/** Keeps a ServiceCIDR until no address would be left without a range (SVC-268). */
const FINALIZER = "networking.k8s.io/service-cidr-finalizer";

/** From its deletion on, a range may still be handed out from by servers that have not heard of it (SVC-269). */
const GRACE_MS = 10_000;

/** What the condition `Ready` shall say. */
export interface Readiness {
  readonly status: "True" | "False";
  readonly reason: "" | "Terminating";
  readonly message: string;
}

export type ServiceCIDRDecision =
  /** It serves: it shall have the finalizer, and say so. */
  | {
      readonly action: "serve";
      readonly finalizers: readonly string[] | undefined;
      readonly ready: Readiness | undefined;
    }
  /** It is being deleted, and holds addresses that no other has. */
  | { readonly action: "block"; readonly ready: Readiness | undefined }
  /** It may go, after so many milliseconds: 0 is now. */
  | { readonly action: "release"; readonly inMs: number; readonly finalizers: readonly string[] }
  | { readonly action: "none" };

const SERVES: Readiness = { status: "True", reason: "", message: "Kubernetes Service CIDR is ready" };
const ENDS: Readiness = {
  status: "False",
  reason: "Terminating",
  message: "There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR",
};

/** The wanted condition, unless the object says the same already. */
function unlessSaid({ status }: ServiceCIDR, wanted: Readiness): Readiness | undefined {
  const is = status?.conditions?.find(({ type }) => type === "Ready");
  const isSame = is?.status === wanted.status && (is.reason ?? "") === wanted.reason && is.message === wanted.message;
  return isSame ? undefined : wanted;
}

export const rangesOf = ({ spec }: ServiceCIDR): Cidr[] => (spec?.cidrs ?? []).map(parseCidr);

export const isBeingDeleted = ({ metadata }: ServiceCIDR): boolean => metadata.deletionTimestamp !== undefined;

/** Whether it serves on behalf of the other. Of several that are being deleted one waits for the addresses that they share. */
const outlasts = (one: ServiceCIDR, other: ServiceCIDR): boolean =>
  one.metadata.name !== other.metadata.name &&
  (!isBeingDeleted(one) || (one.metadata.name ?? "") < (other.metadata.name ?? ""));

const covers = (outer: Cidr, inner: Cidr): boolean =>
  outer.family === inner.family && outer.first <= inner.first && outer.last >= inner.last;

/** Only addresses that allocation took count; what people reserve by hand does not (SVC-261). */
export const isAllocated = ({ metadata }: IPAddress): boolean =>
  metadata.labels?.["ipaddress.kubernetes.io/managed-by"] === "ipallocator.k8s.io";

function mayGo(object: ServiceCIDR, all: readonly ServiceCIDR[], addresses: Iterable<IPAddress>): boolean {
  const own = rangesOf(object);
  const others = all.filter((other) => outlasts(other, object)).flatMap(rangesOf);
  if (own.every((range) => others.some((other) => covers(other, range)))) return true;
  for (const address of addresses) {
    const ip = address.metadata.name ?? "";
    if (!isAllocated(address) || !own.some((range) => cidrContains(range, ip))) continue;
    if (!others.some((range) => cidrContains(range, ip))) return false;
  }
  return true;
}

/** What is to be done about one ServiceCIDR (SVC-267 … SVC-270). `all` may hold the object itself. */
export function decideServiceCIDR(
  object: ServiceCIDR,
  all: readonly ServiceCIDR[],
  addresses: Iterable<IPAddress>,
  nowMs: number,
): ServiceCIDRDecision {
  const { finalizers = [], deletionTimestamp } = object.metadata;
  const has = finalizers.includes(FINALIZER);
  if (deletionTimestamp === undefined) {
    const ready = unlessSaid(object, SERVES);
    if (has && ready === undefined) return { action: "none" };
    return { action: "serve", finalizers: has ? undefined : [...finalizers, FINALIZER], ready };
  }
  if (!has) return { action: "none" };
  if (!mayGo(object, all, addresses)) return { action: "block", ready: unlessSaid(object, ENDS) };
  // A clock that was set back would have it wait for longer than ever asked.
  const left = Math.min(Date.parse(deletionTimestamp) + GRACE_MS - nowMs, GRACE_MS);
  return {
    action: "release",
    inMs: Math.max(0, left),
    finalizers: finalizers.filter((name) => name !== FINALIZER),
  };
}
