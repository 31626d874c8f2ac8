import { duplicate, forbidden, invalid, required, type Fault } from "../fault.ts";
import type { Pod, PodSpec, Volume } from "../generated/types.ts";
import { between, checked, oneOf } from "../meta/check.ts";
import { checkIP } from "../meta/ip.ts";
import { checkLabel, checkQualifiedName, checkSubdomain } from "../meta/names.ts";
import { validateLabels, validateObjectMeta } from "../meta/objectMeta.ts";
import { validateChange } from "./validate/change.ts";
import { validateContainer } from "./validate/container.ts";
import { validateDns } from "./validate/dns.ts";

const RULES = { namespaced: true, checkName: checkSubdomain };

function validateVolume(volume: Volume, field: string, names: Set<string>): Fault[] {
  const faults = volume.name ? checked(checkLabel, `${field}.name`, volume.name) : [required(`${field}.name`)];
  if (volume.name && names.has(volume.name)) faults.push(duplicate(`${field}.name`, volume.name));
  names.add(volume.name);
  const sources = Object.keys(volume).filter((key) => key !== "name");
  for (const extra of sources.slice(1)) {
    faults.push(forbidden(`${field}.${extra}`, "may not specify more than 1 volume type"));
  }
  if (volume.hostPath && !volume.hostPath.path) faults.push(required(`${field}.hostPath.path`));
  if (volume.hostPath?.path.split("/").includes("..")) {
    faults.push(invalid(`${field}.hostPath.path`, volume.hostPath.path, "must not contain '..'"));
  }
  if (volume.configMap && !volume.configMap.name) faults.push(required(`${field}.configMap.name`));
  if (volume.secret && !volume.secret.secretName) faults.push(required(`${field}.secret.secretName`));
  return faults;
}

function validateNames(spec: PodSpec, at: string): Fault[] {
  const name = (field: "hostname" | "subdomain", check = checkLabel): Fault[] =>
    spec[field] ? checked(check, `${at}.${field}`, spec[field]) : [];
  return [
    ...(spec.serviceAccountName ? checked(checkSubdomain, `${at}.serviceAccountName`, spec.serviceAccountName) : []),
    ...(spec.nodeName ? checked(checkSubdomain, `${at}.nodeName`, spec.nodeName) : []),
    ...name("hostname"),
    ...name("subdomain"),
    ...(spec.runtimeClassName === undefined
      ? []
      : checked(checkSubdomain, `${at}.runtimeClassName`, spec.runtimeClassName)),
    ...validateLabels(spec.nodeSelector, `${at}.nodeSelector`),
    ...(spec.readinessGates ?? []).flatMap((gate, index) =>
      checked(checkQualifiedName, `${at}.readinessGates[${index}].conditionType`, gate.conditionType),
    ),
  ];
}

/** Ports of the host that containers of one pod would fight for. */
function validateHostPorts(spec: PodSpec, at: string): Fault[] {
  const seen = new Set<string>();
  return spec.containers.flatMap((container, index) =>
    (container.ports ?? []).flatMap((port, place) => {
      if (!port.hostPort) return [];
      const key = `${port.protocol}/${port.hostIP ?? ""}/${port.hostPort}`;
      const repeated = seen.has(key);
      seen.add(key);
      return repeated ? [duplicate(`${at}.containers[${index}].ports[${place}].hostPort`, key)] : [];
    }),
  );
}

/** The spec of a pod, or of the pods of a template; `at` is where it stands. */
export function validatePodSpec(spec: PodSpec, at = "spec"): Fault[] {
  const volumes = new Set<string>();
  const names = new Set<string>();
  const faults = (spec.volumes ?? []).flatMap((volume, index) =>
    validateVolume(volume, `${at}.volumes[${index}]`, volumes),
  );
  if (spec.containers.length === 0) faults.push(required(`${at}.containers`));
  for (const field of ["containers", "initContainers", "ephemeralContainers"] as const) {
    for (const [index, container] of (spec[field] ?? []).entries()) {
      faults.push(...validateContainer(container, `${at}.${field}[${index}]`, names, volumes));
    }
  }
  const deadline = spec.activeDeadlineSeconds;
  return [
    ...faults,
    ...validateHostPorts(spec, at),
    ...oneOf(`${at}.restartPolicy`, spec.restartPolicy, ["Always", "OnFailure", "Never"]),
    ...validateDns(spec, at),
    ...validateNames(spec, at),
    ...(deadline === undefined ? [] : between(`${at}.activeDeadlineSeconds`, deadline, 1, 2 ** 31 - 1)),
  ];
}

export const validate = (next: Pod, previous: Pod | undefined): Fault[] => [
  ...validateObjectMeta(next.metadata, previous?.metadata, RULES),
  ...(next.spec === undefined ? [required("spec")] : validatePodSpec(next.spec)),
  ...(previous === undefined ? [] : validateChange(next, previous)),
];

/** Through `/status` the spec is the stored one. A pod has one address of each family at most (CTL-119). */
export function validateStatus(next: Pod, previous: Pod): Fault[] {
  const ips = next.status?.podIPs ?? [];
  const faults = ips.flatMap(({ ip }, index) => checked(checkIP, `status.podIPs[${index}].ip`, ip));
  const [first, second] = ips;
  if (ips.length > 2 || (first && second && first.ip.includes(":") === second.ip.includes(":"))) {
    faults.push(invalid("status.podIPs", ips, "may specify no more than one IP for each IP family"));
  }
  if (first && next.status?.podIP && first.ip !== next.status.podIP) {
    faults.push(invalid("status.podIPs[0].ip", first.ip, "must be equal to `podIP`"));
  }
  return [...validateObjectMeta(next.metadata, previous.metadata, RULES), ...faults];
}
