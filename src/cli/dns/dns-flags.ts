import type {
  DnsConfiguration,
  HttpAddress,
  ServerBlock,
  UpstreamOptions,
} from "../../dns/configuration/configuration.ts";
import { nameserversOf } from "../../dns/configuration/resolv-conf.ts";
import { usualBlock, usualCache, usualForward, usualKubernetes } from "../../dns/configuration/usual.ts";
import { parseUpstream } from "../../dns/forward/upstream.ts";
import type { SocketAddress } from "../../dns/server/address.ts";
import { canonicalIP, familyOf } from "../../net/ip.ts";
import { LOG_LEVELS, type LogLevel } from "../../observe/log.ts";
import { UsageError } from "../failure.ts";
import { oneOf, type Flags, type Given } from "../flags.ts";

/** What a Corefile says in its own way: beside one, these are refused. */
const CONFIGURING = {
  "cluster-domain": { type: "string", value: "NAME", help: "the zone of the cluster (cluster.local)" },
  listen: {
    type: "string",
    multiple: true,
    value: "ADDR:PORT",
    help: "where queries are answered, UDP and TCP; may be repeated (all addresses, port 53)",
  },
  upstream: {
    type: "string",
    multiple: true,
    value: "ADDR[:PORT]",
    help: "a resolver for all other names, '' for none; may be repeated (those of /etc/resolv.conf)",
  },
  "stub-domain": {
    type: "string",
    multiple: true,
    value: "ZONE=ADDR[,ADDR]",
    help: "the resolvers of one zone; may be repeated",
  },
  hosts: { type: "string", value: "FILE", help: "names in the form of /etc/hosts, asked first" },
  ttl: { type: "string", value: "SECONDS", help: "how long clients may keep the cluster's records, 0 to 3600 (5)" },
  pods: {
    type: "string",
    value: "MODE",
    help: "names like 10-244-0-7.NAMESPACE.pod: disabled, insecure (any address) or verified (insecure)",
  },
  "serve-stale": { type: "truth", help: "give answers that are over where no upstream resolver answers, for an hour" },
  "metrics-bind-address": { type: "string", value: "ADDR:PORT", help: "where /metrics is (nowhere)" },
  "health-bind-address": { type: "string", value: "ADDR:PORT", help: "where /health is (nowhere)" },
  "ready-bind-address": { type: "string", value: "ADDR:PORT", help: "where /ready is (nowhere)" },
} as const satisfies Flags;

export const DNS_FLAGS = {
  kubeconfig: {
    type: "string",
    value: "FILE",
    help: "how the API server is reached (in a pod its service account, else KUBECONFIG or ~/.kube/config)",
  },
  context: { type: "string", value: "NAME", help: "of the kubeconfig, instead of its current one" },
  master: { type: "string", value: "URL", help: "the API server, instead of the one in the kubeconfig" },
  corefile: { type: "string", value: "FILE", help: "do what this CoreDNS configuration says" },
  ...CONFIGURING,
  "no-search-shortcut": {
    type: "boolean",
    help: "answer a pod's search list name by name, as CoreDNS does, also where one answer would do",
  },
  "node-name": { type: "string", value: "NAME", help: "the Node this runs on (this host's name)" },
  register: {
    type: "string",
    value: "ADDR[,ADDR]",
    help: "make Service kube-system/kube-dns, with these cluster addresses, lead here (not done)",
  },
  workers: { type: "string", value: "N", help: "threads that answer (1)" },
  "log-level": { type: "string", value: "LEVEL", help: "debug, info, warn or error (info)" },
  validate: { type: "boolean", help: "say whether the configuration can be used, and end" },
  "print-config": { type: "boolean", help: "print the configuration as JSON, and end" },
} as const satisfies Flags;

/** What is no part of the configuration of DNS itself. */
export interface DnsRun {
  readonly corefile?: string;
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly server?: string;
  readonly shortcut: boolean;
  readonly nodeName?: string;
  /** Cluster addresses of the Service to register; empty: it is not. */
  readonly register: readonly string[];
  readonly workers: number;
  readonly logLevel: LogLevel;
}

const wrong = (flag: string, value: string, wanted: string): UsageError =>
  new UsageError(`--${flag}: ${JSON.stringify(value)} is not ${wanted}`);

const textOf = ({ values }: Given, flag: keyof typeof DNS_FLAGS): string | undefined => {
  const value = values[flag];
  return typeof value === "string" ? value : undefined;
};
const textsOf = ({ values }: Given, flag: keyof typeof DNS_FLAGS): readonly string[] | undefined =>
  values[flag] as string[] | undefined;

const bound = <T>(flag: string, value: string, parse: (value: string) => T): T => {
  try {
    return parse(value);
  } catch (cause) {
    throw new UsageError(`--${flag}: ${(cause as Error).message}`, { cause });
  }
};

/** `ADDR:PORT`, `[ADDR]:PORT`, `:PORT`; port 0 is one that is free. */
function listenOf(text: string): SocketAddress | { readonly port: number } {
  const [, six, four, digits] = /^(?:\[([^\]]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(text) ?? [];
  const address = six ?? four ?? "";
  const family = familyOf(address);
  const isRight =
    digits !== undefined && Number(digits) < 65_536 && (address === "" || (six !== undefined) === (family === "IPv6"));
  if (!isRight || (address !== "" && family === undefined)) {
    throw wrong("listen", text, "ADDR:PORT, such as 127.0.0.1:53, [::1]:53 or :53");
  }
  const port = Number(digits);
  return address === "" ? { port } : { address: canonicalIP(address), port };
}

function httpOf(flag: keyof typeof CONFIGURING, given: Given): HttpAddress | undefined {
  const text = textOf(given, flag);
  if (text === undefined || text === "") return undefined;
  const [, six, host, digits] = /^(?:\[([^\]]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port < 1 || port > 65_535) throw wrong(flag, text, "ADDR:PORT, such as 127.0.0.1:9153");
  return { host: six ?? host ?? "", port };
}

const zoneOf = (flag: string, text: string): string => {
  const zone = text.toLowerCase().replace(/\.$/, "");
  if (
    zone.length > 253 ||
    !/^[a-z0-9_]([-a-z0-9_]{0,61}[a-z0-9_])?(\.[a-z0-9_]([-a-z0-9_]{0,61}[a-z0-9_])?)*$/.test(zone)
  )
    throw wrong(flag, text, "a DNS name, such as cluster.local");
  return zone;
};

/** The servers that the flags describe: one a port, the same for each. */
function serversOf(given: Given, readFile: (path: string) => string): ServerBlock[] {
  const zone = zoneOf("cluster-domain", textOf(given, "cluster-domain") ?? "cluster.local");
  const named = textsOf(given, "upstream")?.filter((text) => text !== "");
  const upstreams: UpstreamOptions[] = (named ?? nameserversOf(readIfThere(readFile, "/etc/resolv.conf"))).map((text) =>
    bound("upstream", text, parseUpstream),
  );
  const stubs = (textsOf(given, "stub-domain") ?? []).map((text): Partial<ServerBlock> => {
    const [from = "", to = ""] = text.split("=", 2);
    if (to === "") throw wrong("stub-domain", text, "ZONE=ADDR[,ADDR], such as acme.local=192.0.2.53");
    const resolvers = to.split(",").map((one) => bound("stub-domain", one, parseUpstream));
    return { zones: [zoneOf("stub-domain", from)], forward: [usualForward(resolvers)], loop: false };
  });
  const ttl = textOf(given, "ttl");
  if (ttl !== undefined && (!/^\d+$/.test(ttl) || Number(ttl) > 3600)) {
    throw wrong("ttl", ttl, "a number of seconds from 0 to 3600");
  }
  const pods = textOf(given, "pods");
  const hosts = textOf(given, "hosts");
  const block: ServerBlock = {
    ...usualBlock,
    ...(hosts === undefined
      ? {}
      : { hosts: { file: hosts, inline: [], ttl: 3600, noReverse: false, reload: 5_000, fallthrough: [""] } }),
    kubernetes: {
      ...usualKubernetes(zone),
      ...(ttl === undefined ? {} : { ttl: Number(ttl) }),
      ...(pods === undefined ? {} : { pods: oneOf("pods", pods, ["disabled", "insecure", "verified"]) }),
    },
    forward: upstreams.length === 0 ? [] : [usualForward(upstreams)],
    cache: {
      ...usualCache,
      ...(textOf(given, "serve-stale") === "true" ? { serveStale: { duration: 3_600_000, verify: false } } : {}),
    },
    errors: true,
    loadbalance: true,
    loop: upstreams.length > 0,
  };
  const { kubernetes: _cluster, ...other } = block;
  const byPort = Map.groupBy((textsOf(given, "listen") ?? [":53"]).map(listenOf), ({ port }) => port);
  return [...byPort].flatMap(([port, all]): ServerBlock[] => {
    const addresses = all.flatMap((at) => ("address" in at ? [at.address] : []));
    const where = { port, ...(addresses.length < all.length ? {} : { bind: [...new Set(addresses)] }) };
    return [{ ...block, ...where }, ...stubs.map((stub): ServerBlock => ({ ...other, ...stub, ...where }))];
  });
}

function readIfThere(readFile: (path: string) => string, path: string): string {
  try {
    return readFile(path);
  } catch {
    return "";
  }
}

/** The configuration that the flags describe. Throws UsageError. */
export function flagConfiguration(given: Given, readFile: (path: string) => string): DnsConfiguration {
  const health = httpOf("health-bind-address", given);
  const ready = httpOf("ready-bind-address", given);
  const prometheus = httpOf("metrics-bind-address", given);
  return {
    servers: serversOf(given, readFile),
    ...(health === undefined ? {} : { health: { ...health, lameduck: 0 } }),
    ...(ready === undefined ? {} : { ready }),
    ...(prometheus === undefined ? {} : { prometheus }),
  };
}

/** How DNS is to run. Throws UsageError. */
export function dnsRun(given: Given): DnsRun {
  const corefile = textOf(given, "corefile");
  if (corefile !== undefined) {
    const both = Object.keys(CONFIGURING).filter((flag) => given.values[flag] !== undefined);
    if (both.length > 0) {
      throw new UsageError(
        `dns: --corefile says that already: leave out ${both.map((flag) => `--${flag}`).join(", ")}`,
      );
    }
  }
  const workers = textOf(given, "workers") ?? "1";
  if (!/^[1-9]\d?$/.test(workers)) throw wrong("workers", workers, "a number of threads from 1 to 99");
  const register = (textOf(given, "register") ?? "").split(",").filter((address) => address !== "");
  for (const address of register) {
    if (familyOf(address) === undefined)
      throw wrong("register", address, "the cluster address of a Service, such as 10.96.0.10");
  }
  const optional = {
    kubeconfig: textOf(given, "kubeconfig"),
    context: textOf(given, "context"),
    server: textOf(given, "master"),
    nodeName: textOf(given, "node-name"),
    corefile,
  };
  return {
    ...(Object.fromEntries(
      Object.entries(optional).filter(([, value]) => value !== undefined && value !== ""),
    ) as Partial<DnsRun>),
    shortcut: given.values["no-search-shortcut"] !== true,
    register,
    workers: Number(workers),
    logLevel: oneOf("log-level", textOf(given, "log-level") ?? "info", LOG_LEVELS),
  };
}
