import { familyOf } from "../../net/ip.ts";
import type { GivenConfiguration, KubeProxyConfiguration } from "./schema.ts";

const SECOND = 1000;
const HOUR = 3600 * SECOND;
const SYNC_PERIOD = 30 * SECOND;

export const HEALTHZ_PORT = 10256;
export const METRICS_PORT = 10249;

/** `address` with the port behind it, unless it has one already. */
export function withPort(address: string, port: number): string {
  if (familyOf(address) === "IPv6") return `[${address}]:${port}`;
  return /^\[.*\]$|^[^:]*$/.test(address) ? `${address}:${port}` : address;
}

/**
 * Fills in what was not given (PRX-215 … PRX-249). Where upstream waits a second between two rounds, we write at once: a
 * `minSyncPeriod` that is given is obeyed.
 */
export function withDefaults(given: GivenConfiguration): KubeProxyConfiguration {
  const bindAddress = given.bindAddress || "0.0.0.0";
  const isIPv6 = familyOf(bindAddress) === "IPv6";
  const connection = given.clientConnection ?? {};
  const { logging = {}, iptables = {}, ipvs = {}, nftables = {}, winkernel = {}, conntrack = {} } = given;
  return {
    featureGates: given.featureGates ?? {},
    clientConnection: {
      kubeconfig: connection.kubeconfig ?? "",
      acceptContentTypes: connection.acceptContentTypes ?? "",
      contentType: connection.contentType || "application/vnd.kubernetes.protobuf",
      qps: connection.qps || 5,
      burst: connection.burst || 10,
    },
    logging: {
      format: logging.format || "text",
      flushFrequency: logging.flushFrequency ?? 5 * SECOND,
      verbosity: logging.verbosity ?? 0,
      vmodule: logging.vmodule,
      options: logging.options,
    },
    hostnameOverride: given.hostnameOverride ?? "",
    bindAddress,
    healthzBindAddress: withPort(given.healthzBindAddress || (isIPv6 ? "::" : "0.0.0.0"), HEALTHZ_PORT),
    metricsBindAddress: withPort(given.metricsBindAddress || (isIPv6 ? "::1" : "127.0.0.1"), METRICS_PORT),
    bindAddressHardFail: given.bindAddressHardFail ?? false,
    enableProfiling: given.enableProfiling ?? false,
    showHiddenMetricsForVersion: given.showHiddenMetricsForVersion ?? "",
    mode: given.mode ?? "",
    iptables: {
      masqueradeBit: iptables.masqueradeBit ?? 14,
      masqueradeAll: iptables.masqueradeAll ?? false,
      localhostNodePorts: iptables.localhostNodePorts ?? true,
      syncPeriod: iptables.syncPeriod || SYNC_PERIOD,
      minSyncPeriod: iptables.minSyncPeriod ?? 0,
    },
    ipvs: {
      syncPeriod: ipvs.syncPeriod || SYNC_PERIOD,
      minSyncPeriod: ipvs.minSyncPeriod ?? 0,
      scheduler: ipvs.scheduler ?? "",
      excludeCIDRs: ipvs.excludeCIDRs ?? [],
      strictARP: ipvs.strictARP ?? false,
      tcpTimeout: ipvs.tcpTimeout ?? 0,
      tcpFinTimeout: ipvs.tcpFinTimeout ?? 0,
      udpTimeout: ipvs.udpTimeout ?? 0,
    },
    nftables: {
      masqueradeBit: nftables.masqueradeBit ?? 14,
      masqueradeAll: nftables.masqueradeAll ?? false,
      syncPeriod: nftables.syncPeriod || SYNC_PERIOD,
      minSyncPeriod: nftables.minSyncPeriod ?? 0,
    },
    winkernel: {
      networkName: winkernel.networkName ?? "",
      sourceVip: winkernel.sourceVip ?? "",
      enableDSR: winkernel.enableDSR ?? false,
      rootHnsEndpointName: winkernel.rootHnsEndpointName ?? "",
      forwardHealthCheckVip: winkernel.forwardHealthCheckVip ?? false,
    },
    detectLocalMode: given.detectLocalMode || "ClusterCIDR",
    detectLocal: {
      bridgeInterface: given.detectLocal?.bridgeInterface ?? "",
      interfaceNamePrefix: given.detectLocal?.interfaceNamePrefix ?? "",
    },
    clusterCIDR: given.clusterCIDR ?? "",
    nodePortAddresses: given.nodePortAddresses ?? [],
    oomScoreAdj: given.oomScoreAdj ?? -999,
    conntrack: {
      maxPerCore: conntrack.maxPerCore ?? 32_768,
      min: conntrack.min ?? 131_072,
      tcpEstablishedTimeout: conntrack.tcpEstablishedTimeout ?? 24 * HOUR,
      tcpCloseWaitTimeout: conntrack.tcpCloseWaitTimeout ?? HOUR,
      tcpBeLiberal: conntrack.tcpBeLiberal ?? false,
      udpTimeout: conntrack.udpTimeout ?? 0,
      udpStreamTimeout: conntrack.udpStreamTimeout ?? 0,
    },
    configSyncPeriod: given.configSyncPeriod || 900 * SECOND,
    portRange: given.portRange ?? "",
    windowsRunAsService: given.windowsRunAsService ?? false,
  };
}
