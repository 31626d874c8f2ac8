import type { Container, EnvVar, Pod } from "../../api/generated/types.ts";
import { expand } from "./expand.ts";
import { fieldValue, type PodPlace } from "./field-ref.ts";
import { ConfigError, dataOf, type Lookups } from "./lookups.ts";

/** What a container without an image starts with; the last folder holds `node`. */
export const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

export interface EnvironmentOptions {
  readonly pod: Pod;
  readonly container: Container;
  readonly place: PodPlace;
  readonly hostname: string;
  readonly path: string;
  readonly serviceVariables: Readonly<Record<string, string>>;
  readonly lookups: Lookups;
}

async function valueFrom(variable: EnvVar, options: EnvironmentOptions): Promise<string | undefined> {
  const source = variable.valueFrom!;
  const where = `env ${variable.name}`;
  if (source.fieldRef !== undefined) {
    const value = fieldValue(options.pod, options.place, source.fieldRef.fieldPath);
    if (value === undefined) throw new ConfigError(`${where}: fieldPath ${source.fieldRef.fieldPath} is not supported`);
    return value;
  }
  for (const [kind, reference] of [
    ["configMap", source.configMapKeyRef],
    ["secret", source.secretKeyRef],
  ] as const) {
    if (reference === undefined) continue;
    const data = await dataOf(options.lookups, kind, reference.name, reference.optional);
    const value = data?.[reference.key];
    if (value !== undefined) return value.toString();
    if (reference.optional === true) return undefined;
    throw new ConfigError(
      `couldn't find key ${reference.key} in ${kind} ${options.pod.metadata.namespace}/${reference.name}`,
    );
  }
  throw new ConfigError(`${where}: valueFrom must be fieldRef, configMapKeyRef or secretKeyRef`);
}

/** A name the kernel can carry. Kubernetes since 1.30 lets all printable ASCII but `=` be in one. */
const carried = (name: string): boolean => name !== "" && /^[\x20-\x3c\x3e-\x7e]+$/.test(name);

/**
 * The variables of a container that starts now. Later ones win: the runtime's own, service variables, `envFrom`, `env`
 * (DNS-170). In a value, `$(NAME)` is an earlier entry of `env`, else a service variable (DNS-172).
 * Throws ConfigError where something that is named is missing.
 */
export async function containerEnvironment(options: EnvironmentOptions): Promise<Record<string, string>> {
  const { container, lookups } = options;
  const from: Record<string, string> = {};
  for (const source of container.envFrom ?? []) {
    for (const [kind, reference] of [
      ["configMap", source.configMapRef],
      ["secret", source.secretRef],
    ] as const) {
      if (reference === undefined) continue;
      const data = await dataOf(lookups, kind, reference.name, reference.optional);
      for (const [key, value] of Object.entries(data ?? {})) {
        const name = `${source.prefix ?? ""}${key}`;
        if (carried(name)) from[name] = value.toString();
      }
    }
  }
  const own: Record<string, string> = {};
  for (const variable of container.env ?? []) {
    const value =
      variable.valueFrom === undefined
        ? expand(variable.value ?? "", (name) => own[name] ?? options.serviceVariables[name])
        : await valueFrom(variable, options);
    if (value !== undefined && carried(variable.name)) own[variable.name] = value;
  }
  return {
    PATH: options.path,
    HOME: "/",
    HOSTNAME: options.hostname,
    ...options.serviceVariables,
    ...from,
    ...own,
  };
}
