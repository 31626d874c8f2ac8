import type { ProxyMode } from "../engine.ts";
import type { LocalDetector } from "../plan/plan.ts";
import type { KubeProxyConfiguration } from "./schema.ts";

/** Milliseconds; each mode has its own (PRX-250). */
export interface Periods {
  /** After a failure, the longest until it is tried again; twice it, an unfinished change is bad health. */
  readonly syncPeriod: number;
  /** From the end of one round to the beginning of the next. */
  readonly minSyncPeriod: number;
}

const sectionOf = (configuration: KubeProxyConfiguration, mode: string) =>
  mode === "nftables" ? configuration.nftables : mode === "ipvs" ? configuration.ipvs : configuration.iptables;

export const periodsOf = (configuration: KubeProxyConfiguration, mode: string): Periods => {
  const { syncPeriod, minSyncPeriod } = sectionOf(configuration, mode);
  return { syncPeriod, minSyncPeriod };
};

/** What IPVS masquerades, and by which bit, stands in the section of iptables, as upstream's does (PRX-226). */
export const masqueradingOf = (
  configuration: KubeProxyConfiguration,
  mode: ProxyMode,
): { readonly masqueradeAll: boolean; readonly masqueradeBit: number } => {
  const { masqueradeAll, masqueradeBit } = mode === "nftables" ? configuration.nftables : configuration.iptables;
  return { masqueradeAll, masqueradeBit };
};

/** PRX-077: where node ports answer when nothing is said of it. */
export const nodePortAddressesOf = (configuration: KubeProxyConfiguration, mode: ProxyMode): readonly string[] =>
  configuration.nodePortAddresses.length === 0 && mode === "nftables" ? ["primary"] : configuration.nodePortAddresses;

/** What is advised of where node ports answer (PRX-265); undefined: nothing. */
export const nodePortAdvice = (nodePortAddresses: readonly string[]): string | undefined =>
  nodePortAddresses.length > 0
    ? undefined
    : "nodePortAddresses is unset: node ports answer on every address of this machine; 'primary' would be those of the Node alone";

/** PRX-067 … PRX-070; `podCIDRs` are the Node's. */
export function localDetectorOf(configuration: KubeProxyConfiguration, podCIDRs: readonly string[]): LocalDetector {
  const { detectLocalMode, detectLocal, clusterCIDR } = configuration;
  if (detectLocalMode === "BridgeInterface") return { by: "interface", name: detectLocal.bridgeInterface };
  if (detectLocalMode === "InterfaceNamePrefix") {
    return { by: "interface-prefix", prefix: detectLocal.interfaceNamePrefix };
  }
  if (detectLocalMode === "NodeCIDR") return { by: "ranges", ranges: podCIDRs };
  return { by: "ranges", ranges: clusterCIDR === "" ? [] : clusterCIDR.split(",") };
}

/** What was given and does nothing here, each a sentence with the reason. */
export function ignoredOf(configuration: KubeProxyConfiguration): string[] {
  const said: string[] = [];
  const note = (isGiven: boolean, sentence: string): void => void (isGiven && said.push(sentence));
  const { winkernel, clientConnection, logging } = configuration;
  note(
    Object.values(winkernel).some((value) => value !== "" && value !== false),
    "winkernel is accepted and ignored: it is for Windows",
  );
  note(configuration.windowsRunAsService, "windowsRunAsService is accepted and ignored: it is for Windows");
  note(configuration.portRange !== "", "portRange is accepted and ignored, as kube-proxy ignores it");
  note(
    configuration.configSyncPeriod !== 900_000,
    "configSyncPeriod is accepted and ignored: what we hold is kept right by its watch and is never listed again without need",
  );
  note(
    clientConnection.qps !== 5 || clientConnection.burst !== 10,
    "clientConnection.qps and burst are accepted and ignored: this proxy asks too seldom to be held back",
  );
  note(
    clientConnection.acceptContentTypes !== "" ||
      !["application/vnd.kubernetes.protobuf", "application/json"].includes(clientConnection.contentType),
    "clientConnection.contentType and acceptContentTypes are accepted and ignored: this proxy speaks JSON",
  );
  note(
    configuration.enableProfiling,
    "enableProfiling is accepted and ignored: /debug/pprof shows the runtime of Go, which is not here",
  );
  note(
    configuration.showHiddenMetricsForVersion !== "",
    "showHiddenMetricsForVersion is accepted and ignored: no metric is hidden",
  );
  note(
    logging.vmodule !== undefined || logging.options !== undefined,
    "logging.vmodule and logging.options are accepted and ignored: logs are lines of JSON",
  );
  const gates = Object.keys(configuration.featureGates);
  note(gates.length > 0, `featureGates are accepted and ignored: nothing here hangs on ${gates.join(", ")}`);
  return said;
}
