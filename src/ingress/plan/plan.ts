import type { RouteSettings } from "../settings/settings.ts";

/**
 * Where HTTP may go: computed once from the cluster's objects, and carried by every engine. Parts that no change touched are the very
 * same objects from plan to plan, so an engine finds what is new by identity.
 */
export interface IngressPlan {
  /** By host: `a.example`, `*.example` for exactly one more label, or `""` for any; lower case. The most specific one decides alone (CTL-131). */
  readonly hosts: ReadonlyMap<string, HostPlan>;
  /** By id. */
  readonly backends: ReadonlyMap<string, BackendPlan>;
  /** By name as in SNI: `a.example`, `*.example`; `""` is for every other name. */
  readonly certificates: ReadonlyMap<string, Certificate>;
}

export interface HostPlan {
  /** Its key in the plan. */
  readonly host: string;
  /** In order: the first that matches a path is the one (CTL-135). A default backend is a last one that matches all. */
  readonly routes: readonly RoutePlan[];
}

/** Which paths are a route's; compared with the path of a request in its one spelling (`heads/canonical-path.ts`). */
export type PathMatch =
  | { readonly type: "exact"; readonly path: string }
  /** By whole elements (CTL-133); without a slash at its end, so `""` is every path. */
  | { readonly type: "prefix"; readonly path: string }
  /** An expression of JavaScript that was compiled once without a fault, to be used with flag `i` at the beginning of the path. */
  | { readonly type: "regex"; readonly source: string };

/** An Ingress, for events, logs and metrics. */
export interface IngressName {
  readonly namespace: string;
  readonly name: string;
}

export interface RoutePlan {
  /** Unique in the plan, and the same as long as the Ingress says the same host and path: `namespace/name host type:path`. */
  readonly id: string;
  readonly ingress: IngressName;
  /** The host as the rule says it; `""` for any. A server alias keeps the host it is an alias of. */
  readonly host: string;
  readonly match: PathMatch;
  /** The path as the rule says it, for cookies and logs; `/` where it says none. */
  readonly path: string;
  readonly settings: RouteSettings;
  /** Id of its backend. Undefined: there is none to be had, and requests are answered 503 (CTL-139). */
  readonly backend: string | undefined;
  readonly affinity: CookieAffinity | undefined;
  /** Others that get a share of its requests. */
  readonly canaries: readonly CanaryPlan[];
}

/** `nginx.ingress.kubernetes.io/affinity: cookie` and its relatives (CTL-154 … CTL-168). */
export interface CookieAffinity {
  readonly name: string;
  /**
   * Persistent: a new client goes wherever balancing says. Balanced: a new client goes to the endpoint with the fewest new clients lately,
   * so that growth evens out. Sessions that exist never move in either (CTL-155, surpassed).
   */
  readonly mode: "balanced" | "persistent";
  /** Sticky: a client that has a session with a canary, or with the main backend, stays there. Legacy: it is drawn anew. */
  readonly canaryBehavior: "sticky" | "legacy";
  readonly path: string;
  readonly domain: string | undefined;
  readonly sameSite: "None" | "Lax" | "Strict" | undefined;
  /** `SameSite=None` is left out for browsers that take it for something else. */
  readonly conditionalSameSiteNone: boolean;
  /** Seconds. */
  readonly maxAge: number | undefined;
  /** Seconds from now. */
  readonly expires: number | undefined;
  /** Undefined: as the request came (CTL-162). */
  readonly secure: boolean | undefined;
  /** After a failure the client moves for good (CTL-161). */
  readonly changeOnFailure: boolean;
}

/** A share of a route's requests, by the first of header, cookie and weight that says something. */
export interface CanaryPlan {
  readonly ingress: IngressName;
  readonly backend: string | undefined;
  /** `always` and `never` decide, where neither `value` nor `pattern` is set; those decide when they match, and nothing else does. */
  readonly header: { readonly name: string; readonly value?: string; readonly pattern?: string } | undefined;
  /** A cookie that says `always` or `never`. */
  readonly cookie: string | undefined;
  /** Of `total`; 0 is none. */
  readonly weight: number;
  readonly total: number;
}

/** A port of a Service with settings of how it is spoken to. */
export interface BackendPlan {
  /** `namespace/service:port`, and what is set apart from the usual. */
  readonly id: string;
  readonly namespace: string;
  readonly service: string;
  /** As the Ingress says it: a name or a number. */
  readonly port: string;
  readonly settings: BackendSettings;
  /** Sorted by key. */
  readonly endpoints: readonly EndpointPlan[];
}

export interface BackendSettings {
  /** What is spoken to the endpoints: HTTP/1.1, or HTTP/2 for gRPC, each over TLS or not. */
  readonly protocol: "HTTP" | "HTTPS" | "GRPC" | "GRPCS";
  /** For HTTPS and GRPCS. */
  readonly tls: UpstreamTls | undefined;
  readonly balance: Balance;
}

/** How an endpoint is chosen for a request without a session. */
export type Balance =
  | { readonly algorithm: "round-robin" | "least-requests" | "ewma" }
  /** The same key goes to the same endpoint, and as few as can be move when endpoints come and go. A template such as `$remote_addr$request_uri`. */
  | { readonly algorithm: "hash"; readonly key: string };

export interface UpstreamTls {
  /** Certificates are checked against these; undefined: they are not checked. PEM. */
  readonly ca: string | undefined;
  /** What we show of ourselves. PEM. */
  readonly certificate: string | undefined;
  readonly key: string | undefined;
  /** The name that is asked for and checked; undefined: none is asked for. */
  readonly serverName: string | undefined;
}

export interface EndpointPlan {
  /** The pod's UID; of an endpoint without a pod `address:port`. */
  readonly key: string;
  readonly address: string;
  readonly port: number;
  /** What a cookie of it says: the first is the one that is given out, the others were, with former keys. None that another endpoint has. */
  readonly tokens: readonly string[];
  /** A draining one keeps its sessions and gets no others. */
  readonly state: "serving" | "draining";
  /** Its share among the others; 100 is usual, 0 gets sessions only. */
  readonly weight: number;
}

/** PEM, checked: the key is the certificate's. */
export interface Certificate {
  /** `namespace/name` of its Secret, or `""` for one that was made here. */
  readonly secret: string;
  /** The certificate and what it was signed by. */
  readonly chain: string;
  readonly key: string;
  /** When it ends, in milliseconds since the epoch; absent where nobody looked. */
  readonly notAfter?: number;
}
