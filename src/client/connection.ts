import type { Clock } from "../observe/clock.ts";

/** Where an API server is and who we are to it. Certificates and keys are PEM text. */
export interface Connection {
  /** `https://HOST:PORT`, optionally with a path in front of `/api`; `http://` only for servers that ask for it. */
  readonly server: string;
  /** The authorities that may have signed the server's certificate; the system's when left out. */
  readonly ca?: string;
  /** Client certificate, with `key`. */
  readonly cert?: string;
  readonly key?: string;
  /** Bearer token; a function is asked anew for each request, because tokens in files are rotated. */
  readonly token?: string | (() => string);
  /** A Unix socket to speak TLS over; the certificate is still checked against the host of `server`. */
  readonly socketPath?: string;
  /** The name the server's certificate must carry, where it is not the host of `server`. */
  readonly serverName?: string;
  /** Do not check the server's certificate: `insecure-skip-tls-verify` of a kubeconfig. */
  readonly insecure?: boolean;
  readonly userAgent?: string;
  /** Milliseconds within which a request that is no watch must be answered in whole; 30,000. */
  readonly deadline?: number;
  /** Milliseconds of silence after which a watch is held to be dead; bookmarks break the silence; 150,000. */
  readonly stall?: number;
  /** Milliseconds of silence, on all connections, after which a server that is watched is asked for a sign of life; 10,000. */
  readonly silence?: number;
  /** Milliseconds a sign of life may take; after two that did not come, watches are held to be dead; 7,500. */
  readonly signDeadline?: number;
  /** Seconds after which the server is asked to end a watch well; 600. */
  readonly watchSeconds?: number;
  /** Longest line of a watch, in bytes; 16 MiB. */
  readonly lineLimit?: number;
  /** Longest body of an answer, in bytes; 256 MiB. */
  readonly bodyLimit?: number;
  /** Connections kept for requests that are no watches; 16. */
  readonly maxSockets?: number;
  readonly clock?: Clock;
}
