import type { IncomingHttpHeaders } from "node:http";
import { bareAddress, type AddressSet } from "../../net/address-set.ts";
import { familyOf } from "../../net/ip.ts";

/** Who asks, and how, as the connection shows it or somebody trusted says. */
export interface Origin {
  /** Address of whoever speaks to us: the connection's, or what PROXY protocol says. */
  readonly peer: string;
  /** Whether the peer may say for whom it asks. */
  readonly isTrusted: boolean;
  /** Address of whom the request is from. */
  readonly client: string;
  readonly scheme: "http" | "https";
  /** Host and port that the client asked for, where somebody trusted says so; undefined: what Host says. */
  readonly authority: string | undefined;
  /** The port that the client came to. */
  readonly port: number;
}

export interface Peer {
  readonly client: string;
  readonly tls: boolean;
  readonly port: number;
}

/** Nobody has so many proxies one behind the other. */
const MOST_HOPS = 100;
const AUTHORITY = /^[a-z0-9._-]{1,255}(?::\d{1,5})?$|^\[[0-9a-f:.]{2,45}\](?::\d{1,5})?$/i;

const one = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value.join(", ") : value;

/** The first of a list. */
function first(value: string | string[] | undefined): string | undefined {
  const text = one(value);
  if (text === undefined) return undefined;
  const comma = text.indexOf(",");
  return (comma < 0 ? text : text.slice(0, comma)).trim();
}

/** An address as proxies write it: with a port or without. Undefined for anything else. */
function readHop(text: string): string | undefined {
  const bare = bareAddress(/^\[(.+)\](?::\d+)?$/.exec(text)?.[1] ?? /^([\d.]+):\d+$/.exec(text)?.[1] ?? text);
  return familyOf(bare) === undefined ? undefined : bare;
}

/**
 * Of whom a request is: walking back over X-Forwarded-For from the peer, the first that is not trusted itself. What is left of that
 * anybody may have written. Where a hop cannot be read, the one after it is taken.
 */
export function clientOf(peer: string, headers: IncomingHttpHeaders, trust: AddressSet): string {
  let client = bareAddress(peer);
  if (trust.isEmpty || !trust.has(client)) return client;
  const said = one(headers["x-forwarded-for"]);
  if (said === undefined) return client;
  let end = said.length;
  for (let hops = 0; hops < MOST_HOPS && end >= 0; hops += 1) {
    const comma = end === 0 ? -1 : said.lastIndexOf(",", end - 1);
    const hop = readHop(said.slice(comma + 1, end).trim());
    if (hop === undefined) return client;
    client = hop;
    if (!trust.has(hop)) return client;
    end = comma;
  }
  return client;
}

/** Everything about who asks; see {@link Origin}. */
export function originOf(peer: Peer, headers: IncomingHttpHeaders, trust: AddressSet): Origin {
  const address = bareAddress(peer.client);
  const scheme = peer.tls ? "https" : "http";
  if (trust.isEmpty || !trust.has(address)) {
    return { peer: address, isTrusted: false, client: address, scheme, authority: undefined, port: peer.port };
  }
  const proto = first(headers["x-forwarded-proto"])?.toLowerCase();
  const isSaid = proto === "http" || proto === "https";
  const port = Number(first(headers["x-forwarded-port"]) ?? Number.NaN);
  const authority = first(headers["x-forwarded-host"]);
  return {
    peer: address,
    isTrusted: true,
    client: clientOf(address, headers, trust),
    scheme: isSaid ? proto : scheme,
    authority: authority !== undefined && AUTHORITY.test(authority) ? authority : undefined,
    port:
      port >= 1 && port <= 65_535 && Number.isInteger(port)
        ? port
        : isSaid
          ? proto === "https"
            ? 443
            : 80
          : peer.port,
  };
}
