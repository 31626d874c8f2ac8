import type { EndpointPort, Pod, Service, ServicePort } from "../../api/generated/types.ts";

/** CTL-030: the number behind a service port in this pod; undefined when the pod does not declare the name (CTL-031). */
function targetPortOf(port: ServicePort, pod: Pod): number | undefined {
  const target = port.targetPort ?? port.port;
  if (typeof target === "number") return target === 0 ? port.port : target;
  const protocol = port.protocol ?? "TCP";
  // Init containers have ended before the pod serves, but for those that are restarted: sidecars.
  const sidecars = (pod.spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always");
  for (const container of [...(pod.spec?.containers ?? []), ...sidecars]) {
    for (const declared of container.ports ?? []) {
      if (declared.name === target && (declared.protocol ?? "TCP") === protocol) return declared.containerPort;
    }
  }
  return undefined;
}

/** CTL-032: the ports of a Service as they are in one pod, in the Service's order. */
export function endpointPortsOf(service: Service, pod: Pod): EndpointPort[] {
  const ports: EndpointPort[] = [];
  for (const port of service.spec?.ports ?? []) {
    const number = targetPortOf(port, pod);
    if (number === undefined) continue;
    ports.push({
      name: port.name ?? "",
      port: number,
      protocol: port.protocol ?? "TCP",
      ...(port.appProtocol === undefined ? {} : { appProtocol: port.appProtocol }),
    });
  }
  return ports;
}

/** CTL-033: the same for the same ports in any order. */
export const portsKey = (ports: readonly EndpointPort[] | undefined): string =>
  (ports ?? [])
    .map(({ name, port, protocol, appProtocol }) =>
      JSON.stringify([name ?? "", port ?? null, protocol ?? "TCP", appProtocol ?? null]),
    )
    .sort()
    .join();
