import type { Pod, Service } from "../../api/generated/types.ts";

const upper = (name: string): string => name.toUpperCase().replaceAll("-", "_");

/** `[::1]` where a URL needs brackets. The address is kept as it is written (DNS-156). */
const inUrl = (address: string): string => (address.includes(":") ? `[${address}]` : address);

const hasAddress = (service: Service): boolean =>
  service.spec?.type !== "ExternalName" && !["", "None", undefined].includes(service.spec?.clusterIP);

/** The variables of one Service, in Docker's old link form and Kubernetes' own (DNS-145 … DNS-152). */
export function variablesOf(service: Service): Record<string, string> {
  const host = service.spec?.clusterIP ?? "";
  const ports = service.spec?.ports ?? [];
  const [first] = ports;
  if (!hasAddress(service) || first === undefined) return {};
  const name = upper(service.metadata.name ?? "");
  const url = (port: { protocol?: string | undefined; port: number }): string =>
    `${(port.protocol ?? "TCP").toLowerCase()}://${inUrl(host)}:${port.port}`;
  const variables: Record<string, string> = {
    [`${name}_SERVICE_HOST`]: host,
    [`${name}_SERVICE_PORT`]: String(first.port),
  };
  for (const port of ports) {
    if (port.name) variables[`${name}_SERVICE_PORT_${upper(port.name)}`] = String(port.port);
  }
  variables[`${name}_PORT`] = url(first);
  for (const port of ports) {
    const protocol = port.protocol ?? "TCP";
    const stem = `${name}_PORT_${port.port}_${protocol.toUpperCase()}`;
    variables[stem] = url(port);
    variables[`${stem}_PROTO`] = protocol.toLowerCase();
    variables[`${stem}_PORT`] = String(port.port);
    variables[`${stem}_ADDR`] = host;
  }
  return variables;
}

/**
 * The service variables of a container that starts now (DNS-158 … DNS-168): the Services of the pod's namespace,
 * and always `kubernetes` of namespace `default`, which the namespace's own of that name replaces.
 */
export function serviceVariables(services: Iterable<Service>, pod: Pod): Record<string, string> {
  const links = pod.spec?.enableServiceLinks ?? true;
  const namespace = pod.metadata.namespace ?? "default";
  const variables: Record<string, string> = {};
  const own: Service[] = [];
  for (const service of services) {
    const at = service.metadata;
    if (at.namespace === "default" && at.name === "kubernetes") Object.assign(variables, variablesOf(service));
    if (links && at.namespace === namespace) own.push(service);
  }
  for (const service of own) {
    const replaced = service.metadata.name === "kubernetes" && hasAddress(service);
    if (replaced) for (const name of Object.keys(variables)) if (name.startsWith("KUBERNETES_")) delete variables[name];
  }
  for (const service of own) Object.assign(variables, variablesOf(service));
  return variables;
}
