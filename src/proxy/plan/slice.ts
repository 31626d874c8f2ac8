import { ENDPOINTS, readShares, shareNameOf, type Share } from "../../api/endpointSlice/shares.ts";
import type { Endpoint, EndpointPort, EndpointSlice } from "../../api/generated/types.ts";
import { keyOf } from "../../api/object.ts";
import type { IPFamily } from "../../net/ip.ts";
import { readAddress } from "../../net/address.ts";
import { read } from "../../api/annotation.ts";
import { backup } from "../../api/endpointSlice/backup.ts";
import { weight } from "../../api/endpointSlice/weight.ts";
import { complaints, type Complaints } from "./complaints.ts";
import type { Protocol } from "./plan.ts";
import { isPort, isProtocol } from "./ports.ts";

/** An endpoint as a slice says it, wherever the reader stands. */
export interface ReadEndpoint {
  /** Address and pod: another pod at the same address is another endpoint. */
  readonly id: string;
  readonly ip: string;
  readonly nodeName: string | undefined;
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
  readonly nodes: readonly string[];
  readonly zones: readonly string[];
  /** Hundredths of an ordinary pod's share. */
  readonly weight: number;
  readonly backup: boolean;
}

interface ReadPort {
  readonly name: string;
  readonly port: number;
  readonly protocol: Protocol;
}

/** What of a slice concerns a proxy. It depends on nothing but the slice. */
export interface ReadSlice {
  readonly name: string;
  readonly family: IPFamily;
  readonly ports: readonly ReadPort[];
  readonly endpoints: readonly ReadEndpoint[];
  /** What was left out, and why. */
  readonly complaints: readonly string[];
  /** A controller makes it and will put right what does not fit. */
  readonly managed: boolean;
}

const MANAGED_BY = "endpointslice.kubernetes.io/managed-by";
const NONE: readonly never[] = [];
const namesOf = (hints: readonly { name: string }[] | undefined): readonly string[] =>
  !hints?.length ? NONE : hints.map(({ name }) => name);

function readPort({ name, port, protocol = "TCP" }: EndpointPort, told: Complaints): ReadPort | undefined {
  // PRX-008. An API server always sets a name, maybe an empty one.
  if (name === undefined || !port) return undefined;
  if (isPort(port) && isProtocol(protocol)) return { name, port, protocol };
  told.add(
    `port ${JSON.stringify(name)} is ${port}/${protocol} and should be 1 to 65535 of TCP, UDP or SCTP; it is left out`,
  );
  return undefined;
}

function readEndpoint(
  endpoint: Endpoint,
  family: IPFamily,
  shares: ReadonlyMap<string, Share>,
  told: Complaints,
): ReadEndpoint | undefined {
  const text = endpoint.addresses?.[0]; // PRX-010
  if (text === undefined) return undefined;
  const address = readAddress(text);
  if (address?.family !== family) {
    told.add(`address ${JSON.stringify(text)} is no ${family} address; the endpoint is left out`, family);
    return undefined;
  }
  const { ready = true, serving = true, terminating = false } = endpoint.conditions ?? {}; // PRX-011
  const share = shares.size === 0 ? undefined : shares.get(shareNameOf(endpoint));
  const complain = (sentence: string): void => told.add(`of ${shareNameOf(endpoint)}: ${sentence}`, "share");
  return {
    id: `${address.ip} ${endpoint.targetRef?.uid ?? ""}`,
    ip: address.ip,
    nodeName: endpoint.nodeName,
    ready,
    serving,
    terminating,
    nodes: namesOf(endpoint.hints?.forNodes),
    zones: namesOf(endpoint.hints?.forZones),
    weight: share === undefined ? weight.otherwise : read(weight, share.weight, complain),
    backup: share === undefined ? backup.otherwise : read(backup, share.backup, complain),
  };
}

const NO_SHARES: ReadonlyMap<string, Share> = new Map();

function sharesOf(slice: EndpointSlice, told: Complaints): ReadonlyMap<string, Share> {
  const text = slice.metadata.annotations?.[ENDPOINTS];
  if (text === undefined) return NO_SHARES;
  const shares = readShares(text);
  if (shares === undefined) {
    told.add(`${ENDPOINTS} should be a JSON object such as {"web-1":{"weight":"10"}}; it is passed over`);
  }
  return shares ?? NO_SHARES;
}

/** Undefined for what no proxy reads: host names, and families that are none (PRX-008). */
export function readSlice(slice: EndpointSlice): ReadSlice | undefined {
  const family = slice.addressType;
  if (family !== "IPv4" && family !== "IPv6") return undefined;
  const told = complaints(`EndpointSlice ${keyOf(slice)}: `);
  const shares = sharesOf(slice, told);
  return {
    name: keyOf(slice),
    family,
    ports: (slice.ports ?? []).map((port) => readPort(port, told)).filter((port) => port !== undefined),
    endpoints: (slice.endpoints ?? [])
      .map((endpoint) => readEndpoint(endpoint, family, shares, told))
      .filter((endpoint) => endpoint !== undefined),
    complaints: told.all(),
    managed: slice.metadata.labels?.[MANAGED_BY]?.endsWith("-controller.k8s.io") === true,
  };
}
