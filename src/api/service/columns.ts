import type { Service, ServicePort } from "../generated/types.ts";
import type { Cell, Column } from "../kind.ts";
import { age, ageColumn, column, labelsText, nameColumn, nameOf, wideColumn } from "../meta/columns.ts";

/** SVC-309 */
export const columns: readonly Column[] = [
  nameColumn,
  column("Type", "How it is reached: inside the cluster, by node ports, by a load balancer, or as an alias."),
  column("Cluster-IP", "Its stable address; None where the name gives the pods' own."),
  column("External-IP", "Addresses by which it is reached from outside."),
  column("Port(s)", "Its ports, with the node port where there is one."),
  ageColumn,
  wideColumn("Selector", "Labels of the pods behind it."),
];

/**
 * SVC-328 … SVC-330. The cut to 16 characters of SVC-329 belongs to printers that know they are not wide; a server
 * always gives the whole text, as upstream's does.
 */
function externalIPText({ spec, status }: Service): string {
  const given = spec?.externalIPs ?? [];
  if (spec?.type === "ExternalName") return spec.externalName ?? "";
  if (spec?.type !== "LoadBalancer") return given.length === 0 ? "<none>" : given.join(",");
  const ingress = status?.loadBalancer?.ingress ?? [];
  const balanced = new Set(ingress.map((entry) => entry.ip || entry.hostname || "").filter((text) => text !== ""));
  const all = [...[...balanced].sort(), ...given];
  return all.length === 0 ? "<pending>" : all.join(",");
}

const portText = ({ port, nodePort, protocol }: ServicePort): string =>
  `${nodePort ? `${port}:${nodePort}` : port}/${protocol ?? "TCP"}`;

/** SVC-327 … SVC-332 */
export function row(service: Service, nowMs: number): Cell[] {
  const ports = service.spec?.ports ?? [];
  return [
    nameOf(service),
    service.spec?.type ?? "",
    service.spec?.clusterIPs?.[0] ?? "<none>",
    externalIPText(service),
    ports.length === 0 ? "<none>" : ports.map(portText).join(","),
    age(service, nowMs),
    labelsText(service.spec?.selector),
  ];
}
