import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";

/** What is known of a request before its body. */
export interface RequestHead {
  readonly method: string;
  /** Path and query as they came; for HTTP/1.1 in absolute form without its scheme and host. */
  readonly target: string;
  /** The target up to `?`, in the one spelling by which routes are found (`heads/canonical-path.ts`); what is sent on is the target. */
  readonly path: string;
  /** From `?` on; `""` where there is none. */
  readonly query: string;
  /** Lower case, without port; `""` where HTTP/1.0 has none. */
  readonly host: string;
  /** As the client wrote it, with port; what somebody trusted says that it wrote. */
  readonly authority: string;
  /** How the client came, by itself or as somebody trusted says. */
  readonly scheme: "http" | "https";
  readonly protocol: "HTTP/1.0" | "HTTP/1.1" | "HTTP/2.0";
  /** Names in lower case, as Node gives them. */
  readonly headers: IncomingHttpHeaders;
  /** Address of the client: of the connection, or as PROXY protocol or somebody trusted says. */
  readonly client: string;
  /** The port that it came to. */
  readonly port: number;
  /** Unique; what the client said, where it said one. Sent on and back as X-Request-ID. */
  readonly requestId: string;
}

/** What is about to be sent to an endpoint. */
export interface OutgoingHead {
  /** Path and query. */
  target: string;
  /** Names in lower case. `host` is what is sent as Host. */
  readonly headers: OutgoingHttpHeaders;
}

/** What is about to be sent to the client. */
export interface ResponseHead {
  status: number;
  readonly headers: OutgoingHttpHeaders;
}

/** An answer that no backend gives. */
export interface Answer {
  readonly status: number;
  readonly headers?: OutgoingHttpHeaders;
  /** Plain text unless the headers say otherwise; absent: a short page that names the status. */
  readonly body?: string;
}
