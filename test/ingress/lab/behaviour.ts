/** How a pod of the lab answers one request; said in header `x-do` or in `?do=`, as JSON. */
export interface Behaviour {
  /** Names of pods that do so; the others answer as usual. */
  readonly pods?: readonly string[];
  readonly status?: number;
  /** Further headers of the answer. */
  readonly headers?: readonly (readonly [name: string, value: string])[];
  /** A header `x-large` of so many bytes. */
  readonly largeHeader?: number;
  /** In place of what the pod saw. */
  readonly body?: string;
  /** A body of so many bytes, in place of what the pod saw. */
  readonly bytes?: number;
  /** The body of the request is sent back as it comes. */
  readonly echo?: boolean;
  /** The length is not said before. */
  readonly chunked?: boolean;
  readonly trailers?: Readonly<Record<string, string>>;
  /** Milliseconds until the head is sent. */
  readonly delay?: number;
  /** The head is sent when `Backends.release` has named this. */
  readonly hold?: string;
  /** The second half of the body is sent when `Backends.release` has named this. */
  readonly holdBody?: string;
  /** Answers of 1xx that come first. */
  readonly early?: readonly { readonly link: string }[];
  /** The connection is reset: before the head, in the middle of it, in the middle of the body; or right after a whole answer. */
  readonly reset?: "before" | "in-head" | "in-body" | "after";
  /** The connection is closed in an orderly way, but too early. */
  readonly end?: "before" | "in-body";
  /** What is said in content-length, right or not. */
  readonly contentLength?: number;
  /** Answers without waiting for the body of the request. */
  readonly unread?: boolean;
  /** Milliseconds of rest after each piece of the request's body. */
  readonly slowRead?: number;
  /** Says `connection: close`. */
  readonly close?: boolean;
  /** Server-sent events: so many, each after `release` of its number, `event-0` and so on. */
  readonly events?: number;
  /** These bytes and no others are sent, and the connection ends. Latin 1. */
  readonly raw?: string;
  /** An upgrade: to WebSocket (usual), refused with `status`, or to a protocol of bare bytes that are sent back. */
  readonly upgrade?: "refused" | "bare";
}

/** What a pod saw of one request. */
export interface Seen {
  readonly pod: string;
  readonly uid: string;
  /** Of the lab: counts from 1. */
  readonly number: number;
  /** Of the pod's connections: counts from 1. */
  readonly connection: number;
  readonly method: string;
  readonly target: string;
  readonly version: string;
  /** In their order, as they were written. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly trailers: Readonly<Record<string, string | undefined>>;
  /** Bytes of its body. */
  readonly length: number;
  readonly sha256: string;
  /** What was asked for in SNI, where the pod speaks TLS. */
  readonly serverName: string | undefined;
  /** Subject of the certificate that was shown to the pod, if any. */
  readonly peer: string | undefined;
  /** How it ended as far as the pod can tell. */
  readonly outcome: "under way" | "ended" | "aborted";
}

/** The value of a header as a pod saw it; those of several with one name are joined by a bar. */
export const headerOf = (seen: Seen, name: string): string | undefined => {
  const values = seen.headers.filter(([each]) => each.toLowerCase() === name).map(([, value]) => value);
  return values.length === 0 ? undefined : values.join(" | ");
};

export type PodProtocol =
  /** HTTP/1.1, and WebSocket. */
  | "http"
  | "https"
  /** HTTP/2 without and with TLS. */
  | "grpc"
  | "grpcs"
  /** Accepts connections and says nothing. */
  | "silent";

export interface PodSpecification {
  readonly name: string;
  readonly uid: string;
  readonly address: string;
  readonly port: number;
  readonly protocol: PodProtocol;
  /** PEM. */
  readonly certificate?: string;
  readonly key?: string;
  /** Clients must show a certificate that this one signed. */
  readonly clientCa?: string;
}

/** What is said to the process of the pods. */
export type Order =
  | { readonly do: "open"; readonly pod: PodSpecification }
  /** Takes no more connections, ends what is under way, closes connections that are idle. */
  | { readonly do: "end"; readonly uid: string }
  /** Is gone at once: connections are reset. */
  | { readonly do: "kill"; readonly uid: string }
  | { readonly do: "seen" }
  | { readonly do: "forget" }
  | { readonly do: "release"; readonly name: string }
  /** Clients that connect and say nothing. */
  | { readonly do: "crowd"; readonly address: string; readonly port: number; readonly count: number }
  | { readonly do: "disperse" }
  /** How many connections a pod has open. */
  | { readonly do: "connections"; readonly uid: string };
