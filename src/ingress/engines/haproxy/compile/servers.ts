import { createHash } from "node:crypto";
import type { BackendPlan, BackendSettings, EndpointPlan } from "../../../plan/plan.ts";

/** A server of a backend. */
export interface ServerState {
  readonly address: string;
  readonly port: number;
  /** 0: sessions only. */
  readonly weight: number;
  /** How it is spoken to, and what it is known by in consistent hashes: words of a `server` line. */
  readonly words: string;
}

/** HAProxy's largest. */
const MAXIMUM_WEIGHT = 256;

/** A name that HAProxy's commands take as one word. */
const NAME = /^[A-Za-z0-9_-]+$/;

/**
 * What a server is called: what a session cookie says of its endpoint, so that a response tells it by the server's name alone.
 * An endpoint without such a word gets one of its key.
 */
function serverName({ key, tokens }: EndpointPlan): string {
  const [token] = tokens;
  return token !== undefined && NAME.test(token)
    ? token
    : `k${createHash("sha256").update(key).digest("base64url").slice(0, 22)}`;
}

/**
 * Where an endpoint is in consistent hashes, the same in every replica: 31 bits of its key, for HAProxy numbers servers in the order
 * in which they came.
 */
function hashId(key: string, taken: Set<number>): number {
  let id = createHash("sha256").update(key).digest().readUInt32BE(0) >>> 1 || 1;
  while (taken.has(id)) id = (id % 0x7fff_ffff) + 1;
  taken.add(id);
  return id;
}

function wordsOf({ protocol, tls }: BackendSettings): string {
  const secure = protocol === "HTTPS" || protocol === "GRPCS";
  return [
    ...(protocol === "GRPC" || protocol === "GRPCS" ? ["proto h2"] : []),
    ...(secure ? ["ssl verify none", ...(protocol === "GRPCS" ? ["alpn h2"] : [])] : []),
    ...(secure && tls?.serverName !== undefined ? [`sni str(${tls.serverName})`] : []),
  ].join(" ");
}

/** The servers of a backend, by name. Pure. */
export function serversOf({ endpoints, settings }: BackendPlan): Map<string, ServerState> {
  const most = Math.max(100, ...endpoints.map(({ weight }) => weight));
  const scale = most > MAXIMUM_WEIGHT ? MAXIMUM_WEIGHT / most : 1;
  const words = wordsOf(settings);
  const hashes = settings.balance.algorithm === "hash";
  const taken = new Set<number>();
  const servers = new Map<string, ServerState>();
  const takesNew = ({ state, weight }: EndpointPlan): boolean => state === "serving" && weight > 0;
  // One that is going is better than none.
  const isLast = !endpoints.some(takesNew);
  for (const endpoint of endpoints) {
    const { address, port, weight, state } = endpoint;
    const own = takesNew(endpoint) ? Math.max(1, Math.round(weight * scale)) : Number(isLast && state === "draining");
    servers.set(serverName(endpoint), {
      address,
      port,
      weight: own,
      words: hashes ? `${words} id ${hashId(endpoint.key, taken)}`.trim() : words,
    });
  }
  return servers;
}

/** What a cookie may say → the server's name, for the first and for former keys. */
export function tokensOf({ endpoints }: BackendPlan): Map<string, string> {
  const tokens = new Map<string, string>();
  for (const endpoint of endpoints) {
    const name = serverName(endpoint);
    for (const token of endpoint.tokens) if (NAME.test(token)) tokens.set(token, name);
  }
  return tokens;
}
