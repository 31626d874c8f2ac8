import { duplicate, invalid, notFound, required, type Fault } from "../../fault.ts";
import type { Container, EnvFromSource, EnvVar } from "../../generated/types.ts";
import { checked, oneOf } from "../../meta/check.ts";
import { checkEnvName, checkLabel, checkPortName, isPortNumber, portRange } from "../../meta/names.ts";
import { validateProbes } from "./probe.ts";

const PROTOCOLS = ["SCTP", "TCP", "UDP"];

function validatePorts(container: Container, field: string): Fault[] {
  const names = new Set<string>();
  return (container.ports ?? []).flatMap((port, index) => {
    const at = `${field}.ports[${index}]`;
    const faults: Fault[] = [];
    if (port.name) {
      faults.push(...checked(checkPortName, `${at}.name`, port.name));
      if (names.has(port.name)) faults.push(duplicate(`${at}.name`, port.name));
      names.add(port.name);
    }
    if (port.containerPort === 0) faults.push(required(`${at}.containerPort`));
    else if (!isPortNumber(port.containerPort)) {
      faults.push(invalid(`${at}.containerPort`, port.containerPort, portRange));
    }
    if (port.hostPort && !isPortNumber(port.hostPort)) faults.push(invalid(`${at}.hostPort`, port.hostPort, portRange));
    return [...faults, ...oneOf(`${at}.protocol`, port.protocol, PROTOCOLS)];
  });
}

function validateEnv(env: EnvVar, field: string): Fault[] {
  const faults = env.name ? checked(checkEnvName, `${field}.name`, env.name) : [required(`${field}.name`)];
  if (env.valueFrom === undefined) return faults;
  const sources = Object.keys(env.valueFrom).length;
  if (sources === 0)
    faults.push(
      invalid(
        `${field}.valueFrom`,
        "",
        "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`",
      ),
    );
  else if (sources > 1)
    faults.push(invalid(`${field}.valueFrom`, "", "may not have more than one field specified at a time"));
  if (env.value) faults.push(invalid(`${field}.valueFrom`, "", "may not be specified when `value` is not empty"));
  const { configMapKeyRef, secretKeyRef, fieldRef } = env.valueFrom;
  if (configMapKeyRef && !configMapKeyRef.key) faults.push(required(`${field}.valueFrom.configMapKeyRef.key`));
  if (secretKeyRef && !secretKeyRef.key) faults.push(required(`${field}.valueFrom.secretKeyRef.key`));
  if (fieldRef && !fieldRef.fieldPath) faults.push(required(`${field}.valueFrom.fieldRef.fieldPath`));
  return faults;
}

function validateEnvFrom(source: EnvFromSource, field: string): Fault[] {
  const { configMapRef, secretRef } = source;
  if (configMapRef && secretRef) return [invalid(field, "", "may not have more than one field specified at a time")];
  if (!configMapRef && !secretRef) return [invalid(field, "", "must specify one of: `configMapRef` or `secretRef`")];
  if (configMapRef && !configMapRef.name) return [required(`${field}.configMapRef.name`)];
  return secretRef && !secretRef.name ? [required(`${field}.secretRef.name`)] : [];
}

function validateMounts(container: Container, field: string, volumes: ReadonlySet<string>): Fault[] {
  const paths = new Set<string>();
  return (container.volumeMounts ?? []).flatMap((mount, index) => {
    const at = `${field}.volumeMounts[${index}]`;
    const faults: Fault[] = [];
    if (!mount.name) faults.push(required(`${at}.name`));
    else if (!volumes.has(mount.name)) faults.push(notFound(`${at}.name`, mount.name));
    if (!mount.mountPath) faults.push(required(`${at}.mountPath`));
    else if (paths.has(mount.mountPath)) faults.push(invalid(`${at}.mountPath`, mount.mountPath, "must be unique"));
    paths.add(mount.mountPath);
    if (mount.subPath?.startsWith("/")) faults.push(invalid(`${at}.subPath`, mount.subPath, "must be a relative path"));
    if (mount.subPath?.split("/").includes("..")) {
      faults.push(invalid(`${at}.subPath`, mount.subPath, "must not contain '..'"));
    }
    return faults;
  });
}

/** One container; `names` collects the names of all of the pod's containers. */
export function validateContainer(
  container: Container,
  field: string,
  names: Set<string>,
  volumes: ReadonlySet<string>,
): Fault[] {
  const faults = container.name ? checked(checkLabel, `${field}.name`, container.name) : [required(`${field}.name`)];
  if (container.name && names.has(container.name)) faults.push(duplicate(`${field}.name`, container.name));
  names.add(container.name);
  // Upstream needs an image always. Here a process pod's program is on the host, so its command is enough.
  if (!container.image && !container.command?.length) {
    faults.push(required(`${field}.image`, "an image, or a command of this machine"));
  } else if (container.image && container.image.trim() !== container.image) {
    faults.push(invalid(`${field}.image`, container.image, "must not have leading or trailing whitespace"));
  }
  return [
    ...faults,
    ...validatePorts(container, field),
    ...(container.env ?? []).flatMap((env, index) => validateEnv(env, `${field}.env[${index}]`)),
    ...(container.envFrom ?? []).flatMap((source, index) => validateEnvFrom(source, `${field}.envFrom[${index}]`)),
    ...validateMounts(container, field, volumes),
    ...validateProbes(container, field),
    ...oneOf(`${field}.imagePullPolicy`, container.imagePullPolicy, ["Always", "IfNotPresent", "Never"]),
    ...oneOf(`${field}.terminationMessagePolicy`, container.terminationMessagePolicy, [
      "FallbackToLogsOnError",
      "File",
    ]),
  ];
}
