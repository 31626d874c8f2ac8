import type { ForwardedTrust, IngressEngineName } from "../../ingress/engine.ts";
import type { Exposure } from "../../ingress/ingress.ts";
import { parseCidr } from "../../net/cidr.ts";
import { canonicalIP, familyOf } from "../../net/ip.ts";
import { listenAddress, type ListenAddress } from "../../observe/http.ts";
import { LOG_LEVELS, type LogLevel } from "../../observe/log.ts";
import { UsageError } from "../failure.ts";
import { oneOf, type Flags, type Given } from "../flags.ts";

/** What only a controller that runs has: beside --migrate these are refused. */
const SERVING = {
  kubeconfig: {
    type: "string",
    value: "FILE",
    help: "how the API server is reached (in a pod its service account, else KUBECONFIG or ~/.kube/config)",
  },
  context: { type: "string", value: "NAME", help: "of the kubeconfig, instead of its current one" },
  master: { type: "string", value: "URL", help: "the API server, instead of the one in the kubeconfig" },
  "watch-ingress-without-class": { type: "truth", help: "serve Ingresses that name no class, too" },
  "watch-namespace": { type: "string", value: "NAMESPACE", help: "serve the Ingresses of this one only (all)" },
  "default-backend-service": {
    type: "string",
    value: "NAMESPACE/NAME",
    help: "the Service that answers where no rule matches (404)",
  },
  "default-ssl-certificate": {
    type: "string",
    value: "NAMESPACE/NAME",
    help: "the Secret with the certificate where none is given (one that is made here)",
  },
  "publish-service": {
    type: "string",
    value: "NAMESPACE/NAME",
    help: "the Service whose load balancer's addresses Ingresses have in their status",
  },
  "publish-status-address": {
    type: "string",
    value: "ADDR[,ADDR]",
    help: "the addresses or names that Ingresses have in their status",
  },
  "http-port": { type: "string", value: "PORT", help: "where plain HTTP is served; 0: one that is free (80)" },
  "https-port": { type: "string", value: "PORT", help: "where HTTP over TLS is served; 0: one that is free (443)" },
  bind: { type: "string", value: "ADDR[,ADDR]", help: "the addresses that are served (all, of both families)" },
  "proxy-protocol": { type: "truth", help: "each connection begins with a PROXY protocol header, version 1 or 2" },
  "forwarded-trust": {
    type: "string",
    value: "CIDR[,CIDR]",
    help: "who may say in X-Forwarded-* for whom it asks (nobody)",
  },
  engine: { type: "string", value: "NAME", help: "what carries: auto, builtin or haproxy (auto: haproxy where it is)" },
  "healthz-port": { type: "string", value: "PORT", help: "where /healthz and /metrics are; 0: nowhere (10254)" },
  "metrics-bind-address": { type: "string", value: "ADDR:PORT", help: "where /metrics is instead; '': nowhere" },
  "access-log": { type: "string", value: "FILE", help: "a line a request; -: standard output, off: none (-)" },
  "shutdown-drain": {
    type: "string",
    value: "SECONDS",
    help: "how long requests may take to come to their end when this ends (30)",
  },
  "log-level": { type: "string", value: "LEVEL", help: "debug, info, warn or error (info)" },
} as const satisfies Flags;

const MIGRATING = {
  file: {
    type: "string",
    short: "f",
    multiple: true,
    value: "FILE",
    help: "with --migrate: a manifest, a directory of them, or -; may be repeated",
  },
  output: { type: "string", short: "o", value: "FORMAT", help: "with --migrate: text or json (text)" },
} as const satisfies Flags;

export const INGRESS_FLAGS = {
  ...SERVING,
  "ingress-class": { type: "string", value: "NAME", help: "the name of our IngressClass (fairlead)" },
  "controller-class": {
    type: "string",
    value: "NAME",
    help: "spec.controller of the classes that are served (fairlead.dev/ingress)",
  },
  migrate: { type: "boolean", help: "say of manifests for ingress-nginx what is served the same, differently, or not" },
  ...MIGRATING,
} as const satisfies Flags;

type FlagName = keyof typeof INGRESS_FLAGS;

/** Whose Ingresses are ours. */
export interface ClassNames {
  readonly ingressClass: string;
  /** `spec.controller`. */
  readonly controller: string;
}

/** How a controller is to run. */
export interface IngressRun extends ClassNames {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly server?: string;
  readonly withoutClass: boolean;
  readonly namespace: string | undefined;
  /** `namespace/name`. */
  readonly defaultBackend: string | undefined;
  /** `namespace/name`. */
  readonly defaultCertificate: string | undefined;
  readonly exposure: Exposure | undefined;
  /** Canonical; empty: every address of the families that there are. */
  readonly bind: readonly string[];
  /** 0: one that is free. */
  readonly httpPort: number;
  readonly httpsPort: number;
  readonly proxyProtocol: boolean;
  readonly trust: ForwardedTrust;
  readonly engine: "auto" | IngressEngineName;
  readonly health: ListenAddress | undefined;
  readonly metrics: ListenAddress | undefined;
  /** A path, or `-` for standard output; undefined: none is written. */
  readonly accessLog: string | undefined;
  /** Milliseconds. */
  readonly drain: number;
  readonly logLevel: LogLevel;
}

/** What manifests are looked at. */
export interface MigrateRun extends ClassNames {
  readonly migrate: readonly string[];
  readonly output: "text" | "json";
}

const HEALTHZ_PORT = 10_254;
const LONGEST_DRAIN = 86_400;

const wrong = (flag: FlagName, value: string, wanted: string): UsageError =>
  new UsageError(`--${flag}: ${JSON.stringify(value)} is not ${wanted}`);

/** An empty one is as one that is not given. */
const textOf = ({ values }: Given, flag: FlagName): string | undefined => {
  const value = values[flag];
  return typeof value === "string" && value !== "" ? value : undefined;
};
const isGiven = ({ values }: Given, flag: string): boolean => values[flag] !== undefined;

function truthOf(given: Given, flag: FlagName): boolean {
  const text = textOf(given, flag) ?? "false";
  return oneOf(flag, text, ["true", "false"]) === "true";
}

function numberOf(given: Given, flag: FlagName, usual: number, most: number, wanted: string): number {
  const text = textOf(given, flag);
  if (text === undefined) return usual;
  if (!/^\d{1,9}$/.test(text) || Number(text) > most) throw wrong(flag, text, wanted);
  return Number(text);
}

const portOf = (given: Given, flag: FlagName, usual: number): number =>
  numberOf(given, flag, usual, 65_535, "a port, from 0 to 65535");

const LABEL = /^[a-z\d](?:[-a-z\d]{0,61}[a-z\d])?$/;
const NAME = /^[a-z\d](?:[-.a-z\d]{0,251}[a-z\d])?$/;

/** `namespace/name` of an object. */
function keyOf(given: Given, flag: FlagName): string | undefined {
  const text = textOf(given, flag);
  if (text === undefined) return undefined;
  const [namespace = "", name = "", ...more] = text.split("/");
  if (!LABEL.test(namespace) || !NAME.test(name) || more.length > 0) {
    throw wrong(flag, text, "NAMESPACE/NAME, such as ingress/web");
  }
  return text;
}

const listOf = (given: Given, flag: FlagName): readonly string[] =>
  (textOf(given, flag) ?? "")
    .split(",")
    .map((one) => one.trim())
    .filter((one) => one !== "");

function exposureOf(given: Given): Exposure | undefined {
  const service = keyOf(given, "publish-service");
  const addresses = listOf(given, "publish-status-address");
  if (service !== undefined && addresses.length > 0) {
    throw new UsageError("--publish-service and --publish-status-address say the same thing in two ways: give one");
  }
  for (const address of addresses) {
    if (familyOf(address) === undefined && !NAME.test(address)) {
      throw wrong("publish-status-address", address, "an address or a DNS name");
    }
  }
  if (service !== undefined) return { service };
  return addresses.length === 0
    ? undefined
    : { addresses: addresses.map((one) => (familyOf(one) === undefined ? one : canonicalIP(one))) };
}

function bindOf(given: Given): readonly string[] {
  return [
    ...new Set(
      listOf(given, "bind").map((address) => {
        if (familyOf(address) === undefined) throw wrong("bind", address, "an address, such as 192.0.2.1 or ::");
        return canonicalIP(address);
      }),
    ),
  ];
}

function trustOf(given: Given): ForwardedTrust {
  return {
    from: listOf(given, "forwarded-trust").map((text) => {
      const family = familyOf(text);
      try {
        return parseCidr(family === undefined ? text : `${text}/${family === "IPv4" ? 32 : 128}`).text;
      } catch {
        throw wrong("forwarded-trust", text, "an address or a range, such as 10.0.0.0/8");
      }
    }),
  };
}

function pagesOf(given: Given): Pick<IngressRun, "health" | "metrics"> {
  const port = portOf(given, "healthz-port", HEALTHZ_PORT);
  const health = port === 0 ? undefined : listenAddress(`:${port}`);
  if (!isGiven(given, "metrics-bind-address")) return { health, metrics: health };
  const text = textOf(given, "metrics-bind-address");
  if (text === undefined) return { health, metrics: undefined };
  const [, six, host = "", digits] = /^(?:\[([^\]]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(text) ?? [];
  const isRight = six === undefined ? host === "" || familyOf(host) === "IPv4" : familyOf(six) === "IPv6";
  if (digits === undefined || !isRight || Number(digits) < 1 || Number(digits) > 65_535) {
    throw wrong("metrics-bind-address", text, "ADDR:PORT, such as 127.0.0.1:10254");
  }
  return { health, metrics: listenAddress(text) };
}

function classNames(given: Given): ClassNames {
  const ingressClass = textOf(given, "ingress-class") ?? "fairlead";
  if (!NAME.test(ingressClass)) throw wrong("ingress-class", ingressClass, "the name of an IngressClass");
  const controller = textOf(given, "controller-class") ?? "fairlead.dev/ingress";
  if (!/^[a-z\d][-.a-z\d]*\/[\w./-]+$/i.test(controller) || controller.length > 250) {
    throw wrong("controller-class", controller, "a name with a domain before it, such as fairlead.dev/ingress");
  }
  return { ingressClass, controller };
}

function migrateRun(given: Given): MigrateRun {
  const both = Object.keys(SERVING).filter((flag) => isGiven(given, flag));
  if (both.length > 0) {
    throw new UsageError(
      `ingress: --migrate only reads manifests: leave out ${both.map((flag) => `--${flag}`).join(", ")}`,
    );
  }
  const migrate = given.values["file"] as string[] | undefined;
  if (migrate === undefined || migrate.includes("")) {
    throw new UsageError("ingress: --migrate needs manifests: name them with -f FILE, -f DIRECTORY or -f -");
  }
  return {
    ...classNames(given),
    migrate,
    output: oneOf("output", textOf(given, "output") ?? "text", ["text", "json"]),
  };
}

/** What `fairlead ingress` is to do. Throws UsageError. */
export function ingressRun(given: Given): IngressRun | MigrateRun {
  if (given.values["migrate"] === true) return migrateRun(given);
  const migrating = Object.keys(MIGRATING).find((flag) => isGiven(given, flag));
  if (migrating !== undefined) {
    throw new UsageError(`ingress: --${migrating} is of --migrate, which is not given`);
  }
  const httpPort = portOf(given, "http-port", 80);
  const httpsPort = portOf(given, "https-port", 443);
  if (httpPort === httpsPort && httpPort !== 0) {
    throw new UsageError(`--http-port and --https-port: both are ${httpPort}, and they must be two`);
  }
  const namespace = textOf(given, "watch-namespace");
  if (namespace !== undefined && !LABEL.test(namespace)) {
    throw wrong("watch-namespace", namespace, "the name of a namespace");
  }
  const access = {
    kubeconfig: textOf(given, "kubeconfig"),
    context: textOf(given, "context"),
    server: textOf(given, "master"),
  };
  const accessLog = textOf(given, "access-log") ?? "-";
  return {
    ...classNames(given),
    ...(Object.fromEntries(Object.entries(access).filter(([, value]) => value !== undefined)) as Partial<IngressRun>),
    withoutClass: truthOf(given, "watch-ingress-without-class"),
    namespace,
    defaultBackend: keyOf(given, "default-backend-service"),
    defaultCertificate: keyOf(given, "default-ssl-certificate"),
    exposure: exposureOf(given),
    bind: bindOf(given),
    httpPort,
    httpsPort,
    proxyProtocol: truthOf(given, "proxy-protocol"),
    trust: trustOf(given),
    engine: oneOf("engine", textOf(given, "engine") ?? "auto", ["auto", "builtin", "haproxy"]),
    ...pagesOf(given),
    accessLog: accessLog === "off" ? undefined : accessLog,
    drain:
      numberOf(given, "shutdown-drain", 30, LONGEST_DRAIN, `a number of seconds from 0 to ${LONGEST_DRAIN}`) * 1000,
    logLevel: oneOf("log-level", textOf(given, "log-level") ?? "info", LOG_LEVELS),
  };
}
