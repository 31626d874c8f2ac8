/** What a DNS server is to do, whoever said it: flags, or a Corefile. JSON, so that it can be handed to a thread. Durations are in milliseconds, unless a field is a TTL: those are in seconds. */
export interface DnsConfiguration {
  /** A question is for the server of its port with the longest zone that ends its name. */
  readonly servers: readonly ServerBlock[];
  readonly health?: HealthOptions;
  readonly ready?: HttpAddress;
  readonly prometheus?: HttpAddress;
  readonly reload?: ReloadOptions;
}

/** The names that end in certain zones, and who answers them. */
export interface ServerBlock {
  /** In lower case, without the final dot; `""` is the root. Not empty. */
  readonly zones: readonly string[];
  /** 0 picks one that is free for both UDP and TCP. */
  readonly port: number;
  /** Addresses that are listened on; absent: all of this machine's. */
  readonly bind?: readonly string[];
  /** Asked first. */
  readonly hosts?: HostsOptions;
  /** Asked next. */
  readonly kubernetes?: KubernetesOptions;
  /** Asked last; of several, the one with the longest `from` that ends the name. */
  readonly forward: readonly ForwardOptions[];
  /** Of what comes from `forward`. Answers from the cluster and from hosts are never older than what they were made from. */
  readonly cache?: CacheOptions;
  /** Queries that are written to the log. */
  readonly log: readonly LogOptions[];
  /** Failures are written to the log. */
  readonly errors: boolean;
  /** Several addresses come in another order each time (DNS-021). */
  readonly loadbalance: boolean;
  /** At start a name of our own making is asked: if it comes back, queries go round in circles, and the server ends. */
  readonly loop: boolean;
}

/** The cluster's names (DNS-124 … DNS-128). */
export interface KubernetesOptions {
  /** In lower case, without the final dot; reverse zones among them. The first that is no reverse zone is the one that PTR records lead to. */
  readonly zones: readonly string[];
  /** Seconds a client may keep a record; 0 to 3600. */
  readonly ttl: number;
  readonly pods: "disabled" | "insecure" | "verified";
  /** Endpoints without a host name are named after their pod (DNS-096). */
  readonly endpointPodNames: boolean;
  /** No names of endpoints, nor of headless Services (DNS-126). */
  readonly noEndpoints: boolean;
  /** ClusterIP Services without a ready address have no names (DNS-127). */
  readonly ignoreEmptyServices: boolean;
  /** `ZONE.pin._zone.SERVICE…` and `ZONE.prefer._zone.SERVICE…` (DNS-128). */
  readonly zonal: boolean;
  /** Names that are not here may be somewhere else, where they end in one of these; `""` for all. */
  readonly fallthrough: readonly string[];
  /** Only these namespaces have names; absent: all (DNS-076). */
  readonly namespaces?: readonly string[];
  /** Only namespaces with these labels have names; a label selector in text form. */
  readonly namespaceLabels?: string;
  /** Only objects with these labels have names; a label selector in text form. */
  readonly labels?: string;
  /** How long a start waits for the first lists before it answers SERVFAIL (DNS-080). */
  readonly startupTimeout: number;
}

/** Names from files in the form of /etc/hosts. */
export interface HostsOptions {
  readonly file?: string;
  /** Lines in the same form, beside the file. */
  readonly inline: readonly string[];
  /** Only names in these are answered; absent: all in the block's zones. */
  readonly zones?: readonly string[];
  readonly ttl: number;
  /** No PTR records. */
  readonly noReverse: boolean;
  /** How often the file is looked at; 0: never again. */
  readonly reload: number;
  readonly fallthrough: readonly string[];
}

export interface UpstreamOptions {
  /** An IP. */
  readonly address: string;
  readonly port: number;
  /** DNS over TLS (RFC 7858). */
  readonly tls?: { readonly serverName?: string };
}

export interface ForwardOptions {
  /** Names that end in this; `""`: all. */
  readonly from: string;
  /** Resolvers, asked as the policy says. Not empty. */
  readonly to: readonly UpstreamOptions[];
  /** But not names that end in one of these. */
  readonly except: readonly string[];
  readonly policy: "random" | "round_robin" | "sequential";
  readonly forceTcp: boolean;
  readonly preferUdp: boolean;
  /** Health checks in a row that fail before a resolver counts as down; 0: never does. */
  readonly maxFails: number;
  readonly healthCheck: { readonly interval: number; readonly domain: string; readonly recursion: boolean };
  /** Connections unused for longer are closed. */
  readonly expire: number;
  /** Queries under way at one time; further ones are refused. 0: no limit. */
  readonly maxConcurrent: number;
  /** Response codes after which the next resolver is asked. */
  readonly failover: readonly number[];
  /** SERVFAIL at once when all resolvers are down; else one of them is tried all the same. */
  readonly failFast: boolean;
}

/** TTLs in seconds. */
export interface CacheOptions {
  /** Only names that end in one of these; absent: all. */
  readonly zones?: readonly string[];
  readonly success: { readonly capacity: number; readonly ttl: number; readonly minTtl: number };
  readonly denial: { readonly capacity: number; readonly ttl: number; readonly minTtl: number };
  /** Failures are kept that long, at most 5 minutes; 0: not at all. */
  readonly servfail: number;
  /** An answer that was asked for `amount` times, none further apart than `duration`, is fetched anew when `percentage` of its TTL is left. */
  readonly prefetch?: { readonly amount: number; readonly duration: number; readonly percentage: number };
  /** Answers that are over may be given for so long, when nobody upstream has a new one. */
  readonly serveStale?: { readonly duration: number; readonly verify: boolean };
  /** Names whose positive or negative answers are not kept. */
  readonly disable: { readonly success: readonly string[]; readonly denial: readonly string[] };
  /** TTLs are told as they came, not as what is left of them. */
  readonly keepTtl: boolean;
}

export interface LogOptions {
  /** Names that end in one of these. */
  readonly names: readonly string[];
  /** In CoreDNS's terms, with its placeholders such as `{remote}`. */
  readonly format: string;
  readonly classes: readonly ("all" | "success" | "denial" | "error")[];
}

export interface HttpAddress {
  /** `""`: all of this machine's. */
  readonly host: string;
  readonly port: number;
}

export interface HealthOptions extends HttpAddress {
  /** After a SIGTERM: how long queries are still answered, and `/health` says yes, while `/ready` says no already. */
  readonly lameduck: number;
}

export interface ReloadOptions {
  readonly interval: number;
  readonly jitter: number;
}
