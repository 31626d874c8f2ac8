import type { Container, ContainerPort, EnvVar, Lifecycle, ResourceRequirements } from "../../generated/types.ts";
import { withHandlerDefaults, withProbeDefaults } from "./probe.ts";

/** An image without a tag, or with `latest`, may change under its name; a digest says for good what it is. */
function pullPolicy(image: string): string {
  if (image === "" || image.includes("@")) return "IfNotPresent";
  const tag = /:([^/:]+)$/.exec(image)?.[1] ?? "latest";
  return tag === "latest" ? "Always" : "IfNotPresent";
}

const withPortDefaults = (port: ContainerPort): ContainerPort => ({ ...port, protocol: port.protocol || "TCP" });

/** On the host's network a container port is a port of the host. */
export const withHostPorts = (container: Container): Container =>
  container.ports === undefined
    ? container
    : {
        ...container,
        ports: container.ports.map((port) => ({ ...port, hostPort: port.hostPort || port.containerPort })),
      };

function withEnvDefaults(env: EnvVar): EnvVar {
  const ref = env.valueFrom?.fieldRef;
  if (ref === undefined || ref.apiVersion) return env;
  return { ...env, valueFrom: { ...env.valueFrom, fieldRef: { ...ref, apiVersion: "v1" } } };
}

/** Who sets a limit and no request asks for the limit. */
export const withRequests = (resources: ResourceRequirements | undefined): ResourceRequirements =>
  resources?.limits === undefined
    ? (resources ?? {})
    : { ...resources, requests: { ...resources.limits, ...resources.requests } };

const withLifecycleDefaults = (lifecycle: Lifecycle): Lifecycle => ({
  ...lifecycle,
  ...(lifecycle.postStart === undefined ? {} : { postStart: withHandlerDefaults(lifecycle.postStart) }),
  ...(lifecycle.preStop === undefined ? {} : { preStop: withHandlerDefaults(lifecycle.preStop) }),
});

const PROBES = ["livenessProbe", "readinessProbe", "startupProbe"] as const;

export function withContainerDefaults<T extends Container>(container: T): T {
  const filled: T = {
    ...container,
    imagePullPolicy: container.imagePullPolicy || pullPolicy(container.image ?? ""),
    resources: container.resources ?? {},
    terminationMessagePath: container.terminationMessagePath || "/dev/termination-log",
    terminationMessagePolicy: container.terminationMessagePolicy || "File",
  };
  if (container.ports !== undefined) filled.ports = container.ports.map(withPortDefaults);
  if (container.env !== undefined) filled.env = container.env.map(withEnvDefaults);
  if (container.lifecycle !== undefined) filled.lifecycle = withLifecycleDefaults(container.lifecycle);
  for (const field of PROBES) {
    const probe = container[field];
    if (probe !== undefined) filled[field] = withProbeDefaults(probe);
  }
  return filled;
}
