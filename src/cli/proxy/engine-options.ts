import type { KubeProxyConfiguration } from "../../proxy/configuration/schema.ts";
import type { EngineGround } from "../proxy-engines.ts";

/** What the configuration says of one mode only, in the words of its engine. */
export const engineOptions = ({
  ipvs,
  conntrack,
}: Pick<KubeProxyConfiguration, "ipvs" | "conntrack">): Required<Pick<EngineGround, "iptables" | "ipvs">> => ({
  iptables: { tcpBeLiberal: conntrack.tcpBeLiberal },
  ipvs: {
    scheduler: ipvs.scheduler || "rr",
    strictARP: ipvs.strictARP,
    excludeCIDRs: ipvs.excludeCIDRs,
    tcpTimeout: Math.round(ipvs.tcpTimeout / 1000),
    tcpFinTimeout: Math.round(ipvs.tcpFinTimeout / 1000),
    udpTimeout: Math.round(ipvs.udpTimeout / 1000),
  },
});
