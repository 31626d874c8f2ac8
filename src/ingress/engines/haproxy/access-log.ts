import type { Exchange } from "../../access-log.ts";

/** What a log line says by names of ours for routes and backends. */
export interface LogNames {
  route(id: string): Exchange["route"];
  /** `namespace/service:port` of a backend. */
  backend(slot: string): string | undefined;
}

/** The fields of a line, as `configuration.ts` has them written. */
interface Line {
  /** Milliseconds since the epoch when the connection, or the idle time before this request, began. */
  s: number;
  /** Milliseconds of handshakes, of idleness, and of all the rest. */
  h: number;
  i: number;
  d: number;
  c: string;
  v: string;
  t: number;
  m: string;
  n: string;
  a: number;
  /** How it ended, in HAProxy's two letters. */
  e: string;
  /** Bytes either way, heads and framing counted. */
  u: number;
  b: number;
  /** Content-Length either way, or `-`. */
  x: string;
  z: string;
  g: string;
  f: string;
  q: string;
  r: string;
  k: string;
  p: string;
  w: number;
  y: string;
}

const PROTOCOLS: readonly string[] = ["HTTP/1.0", "HTTP/1.1", "HTTP/2.0"] satisfies Exchange["protocol"][];
/** What stands for nothing. */
const given = (text: string): string | undefined => (text === "" || text === "-" ? undefined : text);

/** HTTP/2 requests are logged with scheme and authority. */
const withoutAuthority = (target: string): string => /^[a-z]+:\/\/[^/?#]*(.*)$/i.exec(target)?.[1] || target;

const MAY_HAVE_NO_BODY: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "DELETE"]);

/** HAProxy counts heads and framing too; a body's own size is known where it was said. Of a body that was cut off, no more than came. */
function bodySize(said: string, all: number, isNone: boolean): number {
  if (/^\d+$/.test(said)) return isNone && said !== "0" && all < Number(said) ? 0 : Math.min(Number(said), all);
  return isNone ? 0 : all;
}

/** One line of HAProxy's log as what it is about; undefined where it is none of ours. Never throws. */
export function readLogLine(text: string, names: LogNames): Exchange | undefined {
  const end = text.indexOf("} ");
  if (!text.startsWith("{") || end < 0) return undefined;
  let line: Line;
  // Quoted text may have the same two characters.
  let at = end;
  for (;;) {
    try {
      line = JSON.parse(text.slice(0, at + 1)) as Line;
      break;
    } catch {
      at = text.indexOf("} ", at + 1);
      if (at < 0) return undefined;
    }
  }
  const id = names.backend(line.k);
  const answered = line.a > 0;
  return {
    at: line.s + Math.max(0, line.h) + Math.max(0, line.i),
    duration: Math.max(0, line.d) / 1000,
    client: line.c,
    protocol: (PROTOCOLS.includes(line.v) ? line.v : "HTTP/1.1") as Exchange["protocol"],
    tls: line.t === 1,
    method: line.m,
    host: line.n === "-" ? "" : line.n,
    target: withoutAuthority(text.slice(at + 2).replace(/\0?\r?$/, "")),
    status: answered && !(line.e.startsWith("C") && line.e[1] !== "D") ? line.a : 499,
    received: bodySize(line.x, line.u, MAY_HAVE_NO_BODY.has(line.m)),
    sent: bodySize(line.z, line.b, line.m === "HEAD" || line.a === 304 || line.a === 204),
    userAgent: given(line.g),
    referer: given(line.f),
    requestId: line.q,
    route: names.route(line.r),
    backend:
      id === undefined || !/\d/.test(line.p)
        ? undefined
        : { id, endpoint: line.p, latency: Math.max(0, line.w) / 1000, tries: 1 + Number(line.y.replace("+", "")) },
  };
}
