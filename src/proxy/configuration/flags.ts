import { parseDuration } from "../../api/duration.ts";
import type { FieldType, GivenConfiguration } from "./schema.ts";

/** A flag that is a field of the configuration (PRX-256). */
export interface FieldFlag {
  /** Where its value goes: the path of the field. */
  readonly path: readonly string[];
  readonly type: FieldType;
  readonly help: string;
  /** Fields of other modes that it means too. */
  readonly also?: readonly (readonly string[])[];
}

const flag = (path: string, type: FieldType, help: string, ...also: readonly string[]): FieldFlag => ({
  path: path.split("."),
  type,
  help,
  ...(also.length === 0 ? {} : { also: also.map((one) => one.split(".")) }),
});

/** Flags by name, as kube-proxy has them. */
export const FIELD_FLAGS = {
  kubeconfig: flag(
    "clientConnection.kubeconfig",
    "string",
    "how to reach the API server (in a pod: its service account)",
  ),
  "hostname-override": flag("hostnameOverride", "string", "the Node to act for (this host's name)"),
  "proxy-mode": flag("mode", "string", "nftables, iptables, ipvs, userspace or auto: the best there is (auto)"),
  "cluster-cidr": flag("clusterCIDR", "string", "addresses of pods, one range a family"),
  "detect-local-mode": flag(
    "detectLocalMode",
    "string",
    "ClusterCIDR, NodeCIDR, BridgeInterface or InterfaceNamePrefix (ClusterCIDR)",
  ),
  "pod-bridge-interface": flag(
    "detectLocal.bridgeInterface",
    "string",
    "the bridge that pods are behind, for BridgeInterface",
  ),
  "pod-interface-name-prefix": flag(
    "detectLocal.interfaceNamePrefix",
    "string",
    "how interfaces of pods begin, for InterfaceNamePrefix",
  ),
  "nodeport-addresses": flag(
    "nodePortAddresses",
    "strings",
    "CIDRs of addresses that node ports answer on, or primary",
  ),
  "bind-address": flag(
    "bindAddress",
    "string",
    "the node's address and so its first family; nothing is bound to it (0.0.0.0)",
  ),
  "healthz-bind-address": flag("healthzBindAddress", "string", "where /healthz and /livez answer (0.0.0.0:10256)"),
  "metrics-bind-address": flag("metricsBindAddress", "string", "where /metrics answers (127.0.0.1:10249)"),
  "bind-address-hard-fail": flag("bindAddressHardFail", "boolean", "end when one of these two cannot be bound"),
  "masquerade-all": flag(
    "iptables.masqueradeAll",
    "boolean",
    "give everything to a clusterIP the node's address",
    "nftables.masqueradeAll",
  ),
  "iptables-masquerade-bit": flag(
    "iptables.masqueradeBit",
    "integer",
    "bit of the packet mark that iptables and ipvs use (14)",
  ),
  "iptables-localhost-nodeports": flag(
    "iptables.localhostNodePorts",
    "boolean",
    "iptables: node ports answer on 127.0.0.1 (true)",
  ),
  "iptables-sync-period": flag(
    "iptables.syncPeriod",
    "duration",
    "the longest until a failed round is tried again (30s)",
    "nftables.syncPeriod",
  ),
  "iptables-min-sync-period": flag(
    "iptables.minSyncPeriod",
    "duration",
    "the least from one round to the next (0s)",
    "nftables.minSyncPeriod",
  ),
  "ipvs-sync-period": flag("ipvs.syncPeriod", "duration", "the same for ipvs (30s)"),
  "ipvs-min-sync-period": flag("ipvs.minSyncPeriod", "duration", "the same for ipvs (0s)"),
  "ipvs-scheduler": flag("ipvs.scheduler", "string", "ipvs: how endpoints are chosen (rr)"),
  "ipvs-exclude-cidrs": flag("ipvs.excludeCIDRs", "strings", "ipvs: virtual servers of somebody else, left alone"),
  "ipvs-strict-arp": flag("ipvs.strictARP", "boolean", "ipvs: answer ARP for an interface's own addresses only"),
  "ipvs-tcp-timeout": flag("ipvs.tcpTimeout", "duration", "ipvs: idle TCP connections (as it is)"),
  "ipvs-tcpfin-timeout": flag("ipvs.tcpFinTimeout", "duration", "ipvs: TCP connections after a FIN (as it is)"),
  "ipvs-udp-timeout": flag("ipvs.udpTimeout", "duration", "ipvs: UDP (as it is)"),
  "conntrack-max-per-core": flag("conntrack.maxPerCore", "integer", "tracked connections a core; 0: as it is (32768)"),
  "conntrack-min": flag("conntrack.min", "integer", "the least of tracked connections (131072)"),
  "conntrack-tcp-timeout-established": flag("conntrack.tcpEstablishedTimeout", "duration", "0: as it is (24h)"),
  "conntrack-tcp-timeout-close-wait": flag("conntrack.tcpCloseWaitTimeout", "duration", "0: as it is (1h)"),
  "conntrack-tcp-be-liberal": flag("conntrack.tcpBeLiberal", "boolean", "take packets out of their window"),
  "conntrack-udp-timeout": flag("conntrack.udpTimeout", "duration", "unanswered UDP flows (as it is)"),
  "conntrack-udp-timeout-stream": flag("conntrack.udpStreamTimeout", "duration", "answered UDP flows (as it is)"),
  "oom-score-adj": flag("oomScoreAdj", "integer", "how ready the kernel is to end this process (-999)"),
  "feature-gates": flag("featureGates", "gates", "NAME=true|false,…: known names are accepted and change nothing"),
  "config-sync-period": flag("configSyncPeriod", "duration", "accepted and ignored"),
  "kube-api-qps": flag("clientConnection.qps", "number", "accepted and ignored"),
  "kube-api-burst": flag("clientConnection.burst", "integer", "accepted and ignored"),
  "kube-api-content-type": flag("clientConnection.contentType", "string", "accepted and ignored"),
  profiling: flag("enableProfiling", "boolean", "accepted and ignored"),
  "show-hidden-metrics-for-version": flag("showHiddenMetricsForVersion", "string", "accepted and ignored"),
  v: flag("logging.verbosity", "integer", "how much is logged: 4 and more is everything (0)"),
  "logging-format": flag("logging.format", "string", "accepted: logs are lines of JSON either way"),
} as const satisfies Readonly<Record<string, FieldFlag>>;

export type FieldFlagName = keyof typeof FIELD_FLAGS;

/** With a file these hold all the same; other flags are passed over (PRX-253). */
const STRONGER_THAN_FILE: ReadonlySet<string> = new Set(["hostname-override", "v", "logging-format"]);

/** A flag whose text is not of its field's type. */
export class BadFlag extends Error {
  override readonly name = "BadFlag";
}

function valueOf(name: string, { type }: FieldFlag, text: string): unknown {
  const wrong = (should: string): BadFlag => new BadFlag(`--${name}: ${JSON.stringify(text)} is not ${should}`);
  switch (type) {
    case "integer":
    case "number": {
      const number = Number(text);
      if (!(type === "integer" ? /^[+-]?\d+$/.test(text) : text !== "" && Number.isFinite(number)))
        throw wrong(type === "integer" ? "a whole number" : "a number");
      return number;
    }
    case "boolean":
      if (text !== "true" && text !== "false") throw wrong("true or false");
      return text === "true";
    case "duration": {
      const milliseconds = parseDuration(text);
      if (milliseconds === undefined) throw wrong("a duration such as 30s, 1m30s or 2h");
      return milliseconds;
    }
    case "strings":
      return text === "" ? [] : text.split(",").map((word) => word.trim());
    case "gates":
      return Object.fromEntries(
        text.split(",").map((word) => {
          const [, gate, value] = /^\s*([^=]+)=(true|false)\s*$/.exec(word) ?? [];
          if (gate === undefined) throw wrong("NAME=true|false,…");
          return [gate, value === "true"];
        }),
      );
    case "string":
    case "any":
      return text;
  }
}

function put(into: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [first, ...rest] = path;
  if (rest.length === 0) into[first!] = value;
  else put((into[first!] ??= {}) as Record<string, unknown>, rest, value);
}

/** Flags as fields. Throws {@link BadFlag}. */
export function fromFlags(flags: Readonly<Record<string, string>>): GivenConfiguration {
  const given: Record<string, unknown> = {};
  for (const [name, text] of Object.entries(flags)) {
    const known: FieldFlag = FIELD_FLAGS[name as FieldFlagName];
    const value = valueOf(name, known, text);
    for (const path of [known.path, ...(known.also ?? [])]) put(given, path, value);
  }
  return given;
}

/** A file's fields with the flags that are stronger than it, and the names of those that are not (PRX-253). */
export function withFile(
  file: GivenConfiguration,
  flags: Readonly<Record<string, string>>,
): { readonly given: GivenConfiguration; readonly passedOver: readonly string[] } {
  const entries = Object.entries(flags);
  const strong = fromFlags(Object.fromEntries(entries.filter(([name]) => STRONGER_THAN_FILE.has(name))));
  return {
    given: {
      ...file,
      ...strong,
      ...(file.logging === undefined && strong.logging === undefined
        ? {}
        : { logging: { ...file.logging, ...strong.logging } }),
    },
    passedOver: entries.map(([name]) => name).filter((name) => !STRONGER_THAN_FILE.has(name)),
  };
}
