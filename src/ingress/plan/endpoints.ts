import { read } from "../../api/annotation.ts";
import { backup } from "../../api/endpointSlice/backup.ts";
import { belongsTo } from "../../api/endpointSlice/belongs.ts";
import { ENDPOINTS, readShares, shareNameOf, type Share } from "../../api/endpointSlice/shares.ts";
import { weight } from "../../api/endpointSlice/weight.ts";
import type { Endpoint, EndpointSlice, Service } from "../../api/generated/types.ts";
import { readAddress } from "../../net/address.ts";
import { hostPort, type IPFamily } from "../../net/ip.ts";
import type { EndpointPlan } from "./plan.ts";

/** Tokens of an endpoint's key, for its cookies. */
export type TokensOf = (key: string) => readonly string[];

const NO_SHARES: ReadonlyMap<string, Share> = new Map();
/** What is wrong with a weight is told by the proxy, which reads the same. */
const UNTOLD = (): void => {};

/** One endpoint of a port, of all that slices say of it. */
interface Found {
  readonly key: string;
  readonly ip: string;
  readonly port: number;
  readonly family: IPFamily;
  readonly ready: boolean;
  readonly terminating: boolean;
  readonly weight: number;
  readonly backup: boolean;
}

const sharesOf = ({ metadata }: EndpointSlice): ReadonlyMap<string, Share> => {
  const text = metadata.annotations?.[ENDPOINTS];
  return (text === undefined ? undefined : readShares(text)) ?? NO_SHARES;
};

function found(
  endpoint: Endpoint,
  port: number,
  family: IPFamily,
  shares: ReadonlyMap<string, Share>,
): Found | undefined {
  const address = readAddress(endpoint.addresses?.[0] ?? "");
  if (address?.family !== family) return undefined;
  const { ready = true, serving = ready, terminating = false } = endpoint.conditions ?? {};
  if (!ready && !(serving && terminating)) return undefined;
  const share = shares.get(shareNameOf(endpoint));
  const pod = endpoint.targetRef?.kind === "Pod" ? endpoint.targetRef.uid : undefined;
  return {
    key: pod || hostPort(address.ip, port),
    ip: address.ip,
    port,
    family,
    ready,
    terminating,
    weight: read(weight, share?.weight, UNTOLD),
    backup: read(backup, share?.backup, UNTOLD),
  };
}

const isServing = ({ ready, terminating }: Found): boolean => ready && !terminating;

/** Of one pod in two slices: what serves goes first, then the Service's first family, then the order of addresses. */
function isBetter(one: Found, other: Found, first: IPFamily | undefined): boolean {
  if (isServing(one) !== isServing(other)) return isServing(one);
  if ((one.family === first) !== (other.family === first)) return one.family === first;
  return one.ip < other.ip || (one.ip === other.ip && one.port < other.port);
}

/**
 * The endpoints of a Service's port, each pod once (CTL-167). A pod that is ending is draining; where nobody else is ready those that are
 * ending and still serve stand in, as for a Service's own address. Backups and endpoints of weight 0 get new clients only when no other is there.
 *
 * @param portName as the Service has it; `""` where it has none
 */
export function endpointsOf(
  service: Service,
  portName: string,
  slices: readonly EndpointSlice[],
  tokensOf: TokensOf,
): readonly EndpointPlan[] {
  const families = service.spec?.ipFamilies?.[0];
  const first = families === "IPv4" || families === "IPv6" ? families : undefined;
  const byKey = new Map<string, Found>();
  for (const slice of slices) {
    const family = slice.addressType;
    if ((family !== "IPv4" && family !== "IPv6") || !belongsTo(slice, service)) continue;
    const shares = sharesOf(slice);
    for (const { name = "", port, protocol = "TCP" } of slice.ports ?? []) {
      if (name !== portName || protocol !== "TCP" || !port) continue;
      for (const endpoint of slice.endpoints ?? []) {
        const one = found(endpoint, port, family, shares);
        const other = one === undefined ? undefined : byKey.get(one.key);
        if (one !== undefined && (other === undefined || isBetter(one, other, first))) byKey.set(one.key, one);
      }
    }
  }
  const all = [...byKey.values()].sort((one, other) => (one.key < other.key ? -1 : 1));
  const isAnyServing = all.some(isServing);
  const serving = all.filter((one) => !isAnyServing || isServing(one));
  const weighty = serving.filter((one) => one.weight > 0);
  const primary = weighty.filter((one) => !one.backup);
  const chosen = new Set([primary, weighty, serving].find((list) => list.length > 0));
  return all.map((one) => ({
    key: one.key,
    address: one.ip,
    port: one.port,
    tokens: tokensOf(one.key),
    state: isAnyServing && !isServing(one) ? "draining" : "serving",
    weight: one.weight === 0 && weighty.length === 0 ? weight.otherwise : chosen.has(one) ? one.weight : 0,
  }));
}
