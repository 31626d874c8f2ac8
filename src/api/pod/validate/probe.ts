import { forbidden, invalid, required, type Fault } from "../../fault.ts";
import type { Container, HTTPGetAction, LifecycleHandler, Probe } from "../../generated/types.ts";
import { checked, nonNegative, oneOf } from "../../meta/check.ts";
import { checkPortName, isPortNumber, portRange } from "../../meta/names.ts";

function validatePort(field: string, port: number | string): Fault[] {
  if (typeof port === "string") return checked(checkPortName, field, port);
  return isPortNumber(port) ? [] : [invalid(field, port, portRange)];
}

const validateHttpGet = (httpGet: HTTPGetAction, field: string): Fault[] => [
  ...(httpGet.path ? [] : [required(`${field}.path`)]),
  ...validatePort(`${field}.port`, httpGet.port),
  ...oneOf(`${field}.scheme`, httpGet.scheme, ["HTTP", "HTTPS"]),
];

/** Exactly one of the ways to ask a container something. */
function validateHandler(handler: LifecycleHandler & Pick<Probe, "grpc">, field: string): Fault[] {
  const faults: Fault[] = [];
  let found = 0;
  const take = (name: "exec" | "httpGet" | "tcpSocket" | "grpc" | "sleep", judge: () => Fault[]): void => {
    if (handler[name] === undefined) return;
    found += 1;
    if (found > 1) faults.push(forbidden(`${field}.${name}`, "may not specify more than 1 handler type"));
    else faults.push(...judge());
  };
  take("exec", () => (handler.exec?.command?.length ? [] : [required(`${field}.exec.command`)]));
  take("httpGet", () => validateHttpGet(handler.httpGet!, `${field}.httpGet`));
  take("tcpSocket", () => validatePort(`${field}.tcpSocket.port`, handler.tcpSocket!.port));
  take("grpc", () =>
    isPortNumber(handler.grpc!.port) ? [] : [invalid(`${field}.grpc.port`, handler.grpc!.port, portRange)],
  );
  take("sleep", () => nonNegative(`${field}.sleep.seconds`, handler.sleep!.seconds));
  return found === 0 ? [required(field, "must specify a handler type")] : faults;
}

function validateProbe(probe: Probe, field: string, successOnce: boolean): Fault[] {
  const faults = [
    ...validateHandler(probe, field),
    ...nonNegative(`${field}.initialDelaySeconds`, probe.initialDelaySeconds),
    ...nonNegative(`${field}.timeoutSeconds`, probe.timeoutSeconds),
    ...nonNegative(`${field}.periodSeconds`, probe.periodSeconds),
    ...nonNegative(`${field}.successThreshold`, probe.successThreshold),
    ...nonNegative(`${field}.failureThreshold`, probe.failureThreshold),
  ];
  if (successOnce && probe.successThreshold !== 1) {
    faults.push(invalid(`${field}.successThreshold`, probe.successThreshold, "must be 1"));
  }
  const grace = probe.terminationGracePeriodSeconds;
  if (grace !== undefined && grace <= 0) {
    faults.push(invalid(`${field}.terminationGracePeriodSeconds`, grace, "must be greater than 0"));
  }
  return faults;
}

/** Probes (CTL-103, CTL-105) and the hooks at a container's start and end. */
export function validateProbes(container: Container, field: string): Fault[] {
  const { livenessProbe, readinessProbe, startupProbe, lifecycle } = container;
  return [
    ...(lifecycle?.postStart ? validateHandler(lifecycle.postStart, `${field}.lifecycle.postStart`) : []),
    ...(lifecycle?.preStop ? validateHandler(lifecycle.preStop, `${field}.lifecycle.preStop`) : []),
    ...(livenessProbe ? validateProbe(livenessProbe, `${field}.livenessProbe`, true) : []),
    ...(readinessProbe ? validateProbe(readinessProbe, `${field}.readinessProbe`, false) : []),
    ...(startupProbe ? validateProbe(startupProbe, `${field}.startupProbe`, true) : []),
  ];
}
