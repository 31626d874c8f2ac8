/** What a field of a configuration may hold. Durations are milliseconds here and Go's words in a file. */
export type FieldType = "string" | "boolean" | "integer" | "number" | "duration" | "strings" | "gates" | "any";

/** Fields by name, in the order in which they are written. */
export interface Schema {
  readonly [field: string]: FieldType | Schema;
}

type Held<T> = T extends "string"
  ? string
  : T extends "boolean"
    ? boolean
    : T extends "integer" | "number" | "duration"
      ? number
      : T extends "strings"
        ? readonly string[]
        : T extends "gates"
          ? Readonly<Record<string, boolean>>
          : T extends "any"
            ? unknown
            : { readonly [field in keyof T]: Held<T[field]> };

/** `KubeProxyConfiguration` of `kubeproxy.config.k8s.io/v1alpha1`, field by field (PRX-215 … PRX-249). */
export const FIELDS = {
  featureGates: "gates",
  clientConnection: {
    kubeconfig: "string",
    acceptContentTypes: "string",
    contentType: "string",
    qps: "number",
    burst: "integer",
  },
  logging: {
    format: "string",
    flushFrequency: "duration",
    verbosity: "integer",
    vmodule: "any",
    options: "any",
  },
  hostnameOverride: "string",
  bindAddress: "string",
  healthzBindAddress: "string",
  metricsBindAddress: "string",
  bindAddressHardFail: "boolean",
  enableProfiling: "boolean",
  showHiddenMetricsForVersion: "string",
  mode: "string",
  iptables: {
    masqueradeBit: "integer",
    masqueradeAll: "boolean",
    localhostNodePorts: "boolean",
    syncPeriod: "duration",
    minSyncPeriod: "duration",
  },
  ipvs: {
    syncPeriod: "duration",
    minSyncPeriod: "duration",
    scheduler: "string",
    excludeCIDRs: "strings",
    strictARP: "boolean",
    tcpTimeout: "duration",
    tcpFinTimeout: "duration",
    udpTimeout: "duration",
  },
  nftables: {
    masqueradeBit: "integer",
    masqueradeAll: "boolean",
    syncPeriod: "duration",
    minSyncPeriod: "duration",
  },
  winkernel: {
    networkName: "string",
    sourceVip: "string",
    enableDSR: "boolean",
    rootHnsEndpointName: "string",
    forwardHealthCheckVip: "boolean",
  },
  detectLocalMode: "string",
  detectLocal: { bridgeInterface: "string", interfaceNamePrefix: "string" },
  clusterCIDR: "string",
  nodePortAddresses: "strings",
  oomScoreAdj: "integer",
  conntrack: {
    maxPerCore: "integer",
    min: "integer",
    tcpEstablishedTimeout: "duration",
    tcpCloseWaitTimeout: "duration",
    tcpBeLiberal: "boolean",
    udpTimeout: "duration",
    udpStreamTimeout: "duration",
  },
  configSyncPeriod: "duration",
  portRange: "string",
  windowsRunAsService: "boolean",
} as const satisfies Schema;

export type KubeProxyConfiguration = Held<typeof FIELDS>;

/** Some of the fields, as a file or flags give them. */
export type Given<T> = {
  readonly [field in keyof T]?: T[field] extends readonly string[] | string | number | boolean
    ? T[field]
    : string extends keyof T[field]
      ? T[field]
      : Given<T[field]>;
};

export type GivenConfiguration = Given<KubeProxyConfiguration>;

export const API_VERSION = "kubeproxy.config.k8s.io/v1alpha1";
export const KIND = "KubeProxyConfiguration";
