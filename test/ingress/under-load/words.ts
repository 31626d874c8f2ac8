/** What the load asks of. */
export interface LoadPlaces {
  readonly address: string;
  readonly plain: number;
  readonly secure: number;
}

export const KINDS = ["new", "kept", "tls", "http2"] as const;
/** A new connection for each request; a kept one; a handshake for each; a session of HTTP/2 over TLS. */
export type Kind = (typeof KINDS)[number];

/** Requests a second of each kind. */
export const RATES: Readonly<Record<Kind, number>> = { new: 1000, kept: 60, tls: 20, http2: 40 };
/** Connections that are kept. */
export const KEPT = 16;
export const SOURCES: readonly string[] = Array.from({ length: 16 }, (_, at) => `127.1.0.${at + 1}`);

/** What became of a request. Times are nanoseconds of the machine's own clock divided by 10⁶: processes agree on them. */
export interface Outcome {
  readonly kind: Kind;
  readonly host: string;
  readonly from: number;
  readonly to: number;
  /** Who answered; undefined: the request failed. */
  readonly pod?: string;
  /** Fingerprint of the certificate of a new handshake. */
  readonly certificate?: string;
  readonly fault?: string;
}

/** What became of the WebSockets. */
export interface Sockets {
  readonly open: number;
  readonly echoes: number;
  /** Pods whose sockets were lost, and when; `fault`: of an echo that did not come. */
  readonly lost: readonly {
    readonly pod: string;
    readonly at: number;
    readonly tls: boolean;
    readonly fault: string;
  }[];
}

/** What the generator is told. */
export type Told =
  | { readonly do: "begin"; readonly places: LoadPlaces; readonly host: string; readonly sockets: number }
  /** Asked from now on, too. */
  | { readonly do: "add"; readonly host: string }
  /** Asked no more; said again when the last request of it has ended. */
  | { readonly do: "drop"; readonly host: string }
  | { readonly do: "sockets" }
  | { readonly do: "end" };

/** What it says. */
export type Said =
  | { readonly say: "begun"; readonly pods: readonly string[] }
  | { readonly say: "dropped"; readonly host: string }
  | { readonly say: "outcomes"; readonly outcomes: readonly Outcome[] }
  | { readonly say: "sockets"; readonly sockets: Sockets }
  | {
      readonly say: "ended";
      readonly sockets: Sockets;
      readonly seconds: number;
      /** The latest that a request was begun after its time, in milliseconds. */
      readonly late: number;
      /** Requests that were sent again as HTTP lets a client do: of HTTP/2, that a GOAWAY said were not touched; on a kept connection that ended without a byte. */
      readonly again: number;
    };

export const now = (): number => Number(process.hrtime.bigint()) / 1e6;
