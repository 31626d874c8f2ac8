/** Who the client is, as the proxy before us says. */
export interface ProxiedClient {
  readonly address: string;
  readonly port: number;
  /** The port that the client spoke to; 0 where that was no port. */
  readonly toPort: number;
  /** The client spoke TLS to the proxy. */
  readonly tls: boolean;
  /** As in the client's SNI, lower case. */
  readonly serverName: string | undefined;
}

/** `local`: the proxy speaks for itself, so the connection's own addresses count. */
export type ProxyHeader =
  | { readonly state: "more" }
  | { readonly state: "bad"; readonly why: string }
  | { readonly state: "done"; readonly length: number; readonly client: ProxiedClient | "local" };

export const MORE: ProxyHeader = { state: "more" };
export const bad = (why: string): ProxyHeader => ({ state: "bad", why });
