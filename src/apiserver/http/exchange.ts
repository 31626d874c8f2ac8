import type { IncomingHttpHeaders } from "node:http";
import type { Readable, Writable } from "node:stream";
import type { Identity } from "../identity/identity.ts";

/** What HTTP/1.1 and HTTP/2 requests have in common. */
export interface Request extends Readable {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly httpVersionMajor: number;
  /** Of HTTP/2 only. */
  readonly stream?: { close(): void };
  /** True when the client broke off before it had its answer. */
  readonly aborted?: boolean;
  readonly headers: IncomingHttpHeaders;
  /** Names and values in turn, as they came: also those that `headers` joins. */
  readonly rawHeaders: readonly string[];
}

/** What HTTP/1.1 and HTTP/2 answers have in common. */
export interface Answer extends Writable {
  statusCode: number;
  readonly headersSent: boolean;
  setHeader(name: string, value: string | string[]): unknown;
  hasHeader(name: string): boolean;
}

/** One request with its answer, and what was found out about it. */
export interface Exchange {
  readonly request: Request;
  readonly answer: Answer;
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly identity: Identity;
  /** Sentences for `Warning` headers, each said once. */
  readonly warnings: Set<string>;
  /** Aborted when the client goes away. */
  readonly signal: AbortSignal;
}
