import type { Service } from "../../api/generated/types.ts";
import type { IPFamily } from "../../net/ip.ts";
import { readAddress } from "../../net/address.ts";
import type { Complaints } from "./complaints.ts";
import type { Frontend } from "./plan.ts";

/** An address that clients call, whoever else wants it too. */
export interface ServiceAddress extends Pick<Frontend, "ip" | "kind"> {
  readonly family: IPFamily;
}

/** PRX-005: whether the proxy has anything to do with it. */
export const isProxied = (service: Service): boolean => {
  const { type, clusterIP } = service.spec ?? {};
  return type !== "ExternalName" && clusterIP !== undefined && clusterIP !== "" && clusterIP !== "None";
};

/** PRX-041: undefined for a host name, and for an address whose proxying is done elsewhere. */
function vipsOf(service: Service): string[] {
  const ingress = service.status?.loadBalancer?.ingress ?? [];
  return ingress.flatMap(({ ip, ipMode = "VIP" }) => (ip && ipMode === "VIP" ? [ip] : []));
}

/** Every address of a Service once, of both families, clusterIPs first. */
export function addressesOf(service: Service, told?: Complaints): ServiceAddress[] {
  const { clusterIP = "", clusterIPs, externalIPs } = service.spec ?? {};
  const found = new Map<string, ServiceAddress>();
  const add = (kind: Frontend["kind"], texts: readonly string[]): void => {
    for (const text of texts) {
      const address = readAddress(text.trim());
      if (address !== undefined) {
        if (!found.has(address.ip)) found.set(address.ip, { ...address, kind });
      } else if (text.trim() !== "") {
        told?.add(`${kind} address ${JSON.stringify(text)} is no IP address; it is left out`, "address");
      }
    }
  };
  add("cluster", clusterIPs?.length ? clusterIPs : [clusterIP]);
  add("loadBalancer", vipsOf(service));
  add("external", externalIPs ?? []);
  return [...found.values()];
}
