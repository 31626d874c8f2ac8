import { invalid, type Fault } from "../../api/fault.ts";
import { goDuration } from "../../api/go-duration.ts";
import { parseCidr } from "../../net/cidr.ts";
import { familyOf } from "../../net/ip.ts";
import { KNOWN_GATES } from "./gates.ts";
import { periodsOf } from "./meaning.ts";
import { KIND, type KubeProxyConfiguration } from "./schema.ts";

const MODES = ["", "auto", "nftables", "iptables", "ipvs", "userspace"];
const LOCAL_MODES = ["ClusterCIDR", "NodeCIDR", "BridgeInterface", "InterfaceNamePrefix"];
const NOT_NEGATIVE = "must be greater than or equal to 0";
const POSITIVE = "must be greater than 0";

const isCidr = (text: string): boolean => {
  try {
    parseCidr(text);
    return true;
  } catch {
    return false;
  }
};

const within = (field: string, value: number, least: number, most: number): Fault[] =>
  value >= least && value <= most ? [] : [invalid(field, value, `must be within the range [${least}, ${most}]`)];

const durations = (field: string, given: Readonly<Record<string, number>>): Fault[] =>
  Object.entries(given)
    .filter(([, milliseconds]) => milliseconds < 0)
    .map(([name, milliseconds]) => invalid(`${field}.${name}`, goDuration(milliseconds), NOT_NEGATIVE));

function hostPort(field: string, text: string): Fault[] {
  const match = /^(?:\[([^\]]*)\]|([^:]*)):([^:]*)$/.exec(text);
  if (match === null) return [invalid(field, text, "must be IP:port")];
  const [host, port] = [match[1] ?? match[2]!, match[3]!];
  return [
    ...(familyOf(host) === undefined ? [invalid(field, host, "must be a valid IP")] : []),
    ...(/^\d+$/.test(port) && Number(port) >= 1 && Number(port) <= 65535
      ? []
      : [invalid(field, port, "must be a valid port")]),
  ];
}

function nodePortAddresses(field: string, words: readonly string[]): Fault[] {
  const primary = words.indexOf("primary");
  if (primary >= 0 && words.length > 1)
    return [invalid(`${field}[${primary}]`, "primary", "can't use both 'primary' and CIDRs")];
  if (primary === 0) return [];
  return words.flatMap((word, index) =>
    isCidr(word) ? [] : [invalid(`${field}[${index}]`, word, "must be a valid CIDR")],
  );
}

function detectLocal(field: string, { detectLocalMode, detectLocal, clusterCIDR }: KubeProxyConfiguration): Fault[] {
  if (detectLocalMode === "BridgeInterface" && detectLocal.bridgeInterface === "")
    return [invalid(`${field}.InterfaceName`, "", "must not be empty")];
  if (detectLocalMode === "InterfaceNamePrefix" && detectLocal.interfaceNamePrefix === "")
    return [invalid(`${field}.InterfacePrefix`, "", "must not be empty")];
  if (detectLocalMode !== "ClusterCIDR" || clusterCIDR === "") return [];
  const cidrs = clusterCIDR.split(",");
  const faults = cidrs.flatMap((text, index) =>
    isCidr(text)
      ? []
      : [
          invalid(
            `${field}.ClusterCIDRs[${index}]`,
            text,
            "must be a valid CIDR block (e.g. 10.100.0.0/16 or fde4:8dba:82e1::/48)",
          ),
        ],
  );
  const families = new Set(cidrs.map((text) => familyOf(text.split("/")[0]!)));
  if (faults.length === 0 && families.size !== cidrs.length) {
    faults.push(
      invalid(
        `${field}.ClusterCIDRs`,
        cidrs,
        "must be either a single CIDR or a dual-stack pair of CIDRs (e.g. 10.100.0.0/16,fde4:8dba:82e1::/48)",
      ),
    );
  }
  return faults;
}

/** Everything that is wrong with a configuration, each under `KubeProxyConfiguration.<Field>` (PRX-251). */
export function validate(configuration: KubeProxyConfiguration): Fault[] {
  const { iptables, ipvs, nftables, conntrack, mode } = configuration;
  const at = (field: string): string => `${KIND}.${field}`;
  const { syncPeriod, minSyncPeriod } = periodsOf(configuration, mode);
  const conntrackField = at("KubeProxyLinuxConfiguration.KubeProxyConntrackConfiguration");
  const version = configuration.showHiddenMetricsForVersion;
  return [
    ...Object.keys(configuration.featureGates)
      .filter((gate) => !KNOWN_GATES.has(gate))
      .map((gate) => invalid(at("featureGates"), gate, `unrecognized feature gate: ${gate}`)),
    ...within(at("KubeProxyIPTablesConfiguration.MasqueradeBit"), iptables.masqueradeBit, 0, 31),
    ...(mode === "nftables"
      ? within(at("KubeProxyNFTablesConfiguration.MasqueradeBit"), nftables.masqueradeBit, 0, 31)
      : []),
    ...(mode === "ipvs"
      ? [
          ...durations(at("KubeProxyIPVSConfiguration"), {
            TCPTimeout: ipvs.tcpTimeout,
            TCPFinTimeout: ipvs.tcpFinTimeout,
            UDPTimeout: ipvs.udpTimeout,
          }),
          ...ipvs.excludeCIDRs.flatMap((text, index) =>
            isCidr(text)
              ? []
              : [invalid(at(`KubeProxyIPVSConfiguration.ExcludeCidrs[${index}]`), text, "must be a valid CIDR")],
          ),
        ]
      : []),
    ...(["maxPerCore", "min"] as const)
      .filter((name) => conntrack[name] < 0)
      .map((name) =>
        invalid(`${conntrackField}.${name === "min" ? "Min" : "MaxPerCore"}`, conntrack[name], NOT_NEGATIVE),
      ),
    ...durations(conntrackField, {
      TCPEstablishedTimeout: conntrack.tcpEstablishedTimeout,
      TCPCloseWaitTimeout: conntrack.tcpCloseWaitTimeout,
      UDPTimeout: conntrack.udpTimeout,
      UDPStreamTimeout: conntrack.udpStreamTimeout,
    }),
    ...within(at("KubeProxyLinuxConfiguration.OOMScoreAdj"), configuration.oomScoreAdj, -1000, 1000),
    ...(MODES.includes(mode)
      ? []
      : [
          invalid(
            at("ProxyMode"),
            mode,
            mode === "kernelspace"
              ? "kernelspace is a mode of Windows; must be nftables, iptables, ipvs, userspace or blank (the best there is)"
              : "must be nftables, iptables, ipvs, userspace or blank (blank means the best there is)",
          ),
        ]),
    ...(configuration.clientConnection.burst < 0
      ? [invalid(at("ClientConnection.Burst"), configuration.clientConnection.burst, NOT_NEGATIVE)]
      : []),
    ...(configuration.configSyncPeriod <= 0
      ? [invalid(at("ConfigSyncPeriod"), goDuration(configuration.configSyncPeriod), POSITIVE)]
      : []),
    ...(syncPeriod <= 0 ? [invalid(at("SyncPeriod"), goDuration(syncPeriod), POSITIVE)] : []),
    ...(minSyncPeriod < 0 ? [invalid(at("MinSyncPeriod"), goDuration(minSyncPeriod), NOT_NEGATIVE)] : []),
    ...(syncPeriod > 0 && minSyncPeriod > syncPeriod
      ? [
          invalid(
            at("SyncPeriod"),
            goDuration(syncPeriod),
            `must be greater than or equal to ${at("MinSyncPeriod")}, ${goDuration(minSyncPeriod)}`,
          ),
        ]
      : []),
    ...(familyOf(configuration.bindAddress) === undefined
      ? [invalid(at("BindAddress"), configuration.bindAddress, "not a valid textual representation of an IP address")]
      : []),
    ...(configuration.healthzBindAddress === ""
      ? []
      : hostPort(at("HealthzBindAddress"), configuration.healthzBindAddress)),
    ...(configuration.metricsBindAddress === ""
      ? []
      : hostPort(at("MetricsBindAddress"), configuration.metricsBindAddress)),
    ...nodePortAddresses(at("NodePortAddresses"), configuration.nodePortAddresses),
    ...(version === "" || version === "1.35"
      ? []
      : [
          invalid(
            at("ShowHiddenMetricsForVersion"),
            version,
            "--show-hidden-metrics-for-version must be omitted or have the value '1.35'. Only the previous minor version is allowed",
          ),
        ]),
    ...(LOCAL_MODES.includes(configuration.detectLocalMode)
      ? []
      : [
          invalid(
            at("DetectLocalMode"),
            configuration.detectLocalMode,
            `must be one of ${LOCAL_MODES.join(", ")} or blank (ClusterCIDR)`,
          ),
        ]),
    ...detectLocal(at("DetectLocalConfiguration"), configuration),
    ...(["text", "json"].includes(configuration.logging.format)
      ? []
      : [invalid(at("logging.format"), configuration.logging.format, "must be text or json")]),
    ...within(at("logging.verbosity"), configuration.logging.verbosity, 0, 2 ** 31 - 1),
  ];
}
