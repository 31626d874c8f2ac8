import { familyOf } from "../../../net/ip.ts";

/** Milliseconds in which an authority has to have said something. */
const PATIENCE = 10_000;
const CONNECT = 5_000;
/** Connections to one. */
const MOST_CONNECTIONS = 128;

export interface AuthorityRequest {
  readonly method: string;
  readonly url: string;
  /** Names in lower case. */
  readonly headers: Record<string, string | string[]>;
}

export interface AuthorityAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** Asks an authority, without a body. Rejects when it cannot be reached, or says nothing in a while. */
export type Ask = (request: AuthorityRequest) => Promise<AuthorityAnswer>;

export interface Authorities {
  readonly ask: Ask;
  close(): Promise<void>;
}

const isBroken = (error: unknown): boolean =>
  ["UND_ERR_SOCKET", "ECONNRESET", "EPIPE"].includes((error as { readonly code?: string }).code ?? "");

/** Names that nobody outside can give a certificate for: of a cluster, of this machine, without a dot. */
function isInside(host: string): boolean {
  const name = host.replace(/^\[|\]$/g, "");
  return familyOf(name) !== undefined || !name.includes(".") || /\.(?:svc|local|internal|localhost)$/i.test(name);
}

/**
 * Asks authorities over HTTP. Of those outside the certificate is checked; one inside the cluster, whose certificate is
 * as a rule made by itself, is asked over TLS without.
 */
export function createAuthorities(patience = PATIENCE): Authorities {
  // Loaded when somebody needs it: it takes some tens of milliseconds.
  const loading = () =>
    import("undici").then(({ Agent, request }) => {
      const agent = (rejectUnauthorized: boolean) =>
        new Agent({ connections: MOST_CONNECTIONS, connect: { rejectUnauthorized, timeout: CONNECT } });
      return { request, outside: agent(true), inside: agent(false) };
    });
  let loaded: ReturnType<typeof loading> | undefined;
  return {
    async ask({ method, url, headers }) {
      const { request, outside, inside } = await (loaded ??= loading());
      const { hostname } = new URL(url);
      const dispatcher = isInside(hostname) ? inside : outside;
      const signal = AbortSignal.timeout(patience);
      const once = () => request(url, { method: method as "GET", headers, dispatcher, signal });
      const answer = await once().catch((error: unknown) => {
        // A connection that was kept open may have been closed there just now. Another one tells.
        if (method !== "GET" || !isBroken(error)) throw error;
        return once();
      });
      // Of a long one the connection is given up.
      answer.body.dump({ limit: 65_536 }).catch(() => {});
      return { status: answer.statusCode, headers: answer.headers };
    },
    async close() {
      const { outside, inside } = (await loaded) ?? {};
      await Promise.all([outside?.destroy(), inside?.destroy()]);
    },
  };
}
