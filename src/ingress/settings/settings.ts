/** What annotations say of a route, checked and with every default filled in. Each is done by the file of its name in `filters/`. */
export interface RouteSettings {
  /** Requests are answered 503 with this reason: something that protects it could not be done, and open it must not be. */
  readonly refused: string | undefined;
  /** All requests are sent elsewhere. */
  readonly redirect: Redirect | undefined;
  /** Status that sends plain requests to https; undefined: they are served (CTL-141). */
  readonly httpsRedirect: number | undefined;
  /** `/` is sent there. */
  readonly appRoot: string | undefined;
  readonly sources: SourceRanges | undefined;
  readonly basicAuth: BasicAuth | undefined;
  readonly externalAuth: ExternalAuth | undefined;
  /** Whether one of sources and auth is enough. */
  readonly satisfy: "all" | "any";
  readonly rateLimit: RateLimit | undefined;
  readonly cors: Cors | undefined;
  readonly rewrite: Rewrite | undefined;
  /** What is sent as Host; undefined: what the client sent. */
  readonly upstreamHost: string | undefined;
  /** Sent as X-Forwarded-Prefix. */
  readonly forwardedPrefix: string | undefined;
  /** Set on the way to the backend. */
  readonly requestHeaders: readonly Header[];
  /** Set on the way to the client. */
  readonly responseHeaders: readonly Header[];
  readonly cookies: CookieRewrite | undefined;
  /** Changes Location and Refresh that begin with `from`. */
  readonly locations: { readonly from: string; readonly to: string } | undefined;
  /** Responses with these are taken from the default backend instead. */
  readonly errorPages: ErrorPages | undefined;
  /** Each request is sent there too, and its answer forgotten. */
  readonly mirror: { readonly url: string; readonly host: string | undefined; readonly body: boolean } | undefined;
  /** Bytes of a request's body; undefined: any. */
  readonly maximumBody: number | undefined;
  readonly timeouts: Timeouts;
  readonly retry: Retry;
  readonly accessLog: boolean;
}

export interface Redirect {
  /** Absolute, with `$host`, `$scheme` and `$request_uri` put in; or a host to which the same path is sent. */
  readonly to: { readonly url: string } | { readonly host: string };
  readonly status: number;
}

/** CIDRs, canonical. What is denied is denied; where something is allowed, all else is denied. */
export interface SourceRanges {
  readonly allow: readonly string[];
  readonly deny: readonly string[];
}

export interface BasicAuth {
  readonly realm: string;
  /** Hashes as htpasswd writes them, by user. */
  readonly users: ReadonlyMap<string, string>;
}

export interface ExternalAuth {
  readonly url: string;
  readonly method: string | undefined;
  /** Where a client without leave is sent. */
  readonly signIn: string | undefined;
  /** The parameter of the sign-in page that says where the client wanted to go; `rd`. */
  readonly signInParameter: string;
  /** Headers of the answer that are sent to the backend. */
  readonly responseHeaders: readonly string[];
  /** Headers sent to the authority beside the request's own. */
  readonly requestHeaders: readonly Header[];
  readonly alwaysSetCookie: boolean;
}

export interface RateLimit {
  /** Requests of one client address; each undefined: no bound. */
  readonly perSecond: number | undefined;
  readonly perMinute: number | undefined;
  /** How many times as many may come at once. */
  readonly burst: number;
  /** Requests of one client address that are under way. */
  readonly connections: number | undefined;
  /** Bytes a second of one response, after the first `rateAfter` bytes. */
  readonly rate: number | undefined;
  readonly rateAfter: number;
  /** CIDRs that are not bounded. */
  readonly except: readonly string[];
  readonly status: number;
}

export interface Cors {
  /** Patterns: `*`, `https://a.example`, `https://*.example`. */
  readonly origins: readonly string[];
  readonly methods: string;
  readonly headers: string;
  readonly expose: string | undefined;
  readonly credentials: boolean;
  /** Seconds. */
  readonly maxAge: number;
}

/** What is sent in place of the path: `$1` … are what the route's expression caught, where it is one. */
export interface Rewrite {
  readonly target: string;
}

export interface Header {
  readonly name: string;
  readonly value: string;
}

/** `Domain` and `Path` of cookies that the backend sets. */
export interface CookieRewrite {
  readonly domain: { readonly from: string; readonly to: string } | undefined;
  readonly path: { readonly from: string; readonly to: string } | undefined;
}

export interface ErrorPages {
  readonly codes: readonly number[];
  /** Id of a backend of the plan. */
  readonly backend: string | undefined;
}

/** Milliseconds. */
export interface Timeouts {
  readonly connect: number;
  /** Between two pieces that the backend takes. */
  readonly send: number;
  /** Between two pieces that the backend gives; for the first one too. */
  readonly read: number;
  /** Of silence both ways on a connection that was upgraded. */
  readonly tunnel: number;
}

/** When a request is tried at another endpoint, as long as the client has been sent nothing. */
export interface Retry {
  readonly on: ReadonlySet<RetryReason>;
  /** Also for requests that may have been acted on (POST, LOCK, PATCH). */
  readonly nonIdempotent: boolean;
  /** In all, the first one counted; 0: as many as there are endpoints. */
  readonly tries: number;
  /** Milliseconds after which no other is tried; 0: no bound. */
  readonly timeout: number;
}

export type RetryReason =
  /** It could not be connected to, or the connection broke before the first byte. */
  | "error"
  | "timeout"
  | "invalid_header"
  | "http_403"
  | "http_404"
  | "http_429"
  | "http_500"
  | "http_502"
  | "http_503"
  | "http_504";
