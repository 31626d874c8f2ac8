import type { Container, EnvVar, Pod } from "../../api/generated/types.ts";
import { expand } from "./expand.ts";
import { fieldValue, type PodPlace } from "./field-ref.ts";
import { ConfigError, dataOf, type Lookups } from "./lookups.ts";
import { resourceValue } from "./resource-ref.ts";

export interface EnvironmentOptions {
  readonly pod: Pod;
  readonly container: Container;
  readonly place: PodPlace;
  readonly serviceVariables: Readonly<Record<string, string>>;
  readonly lookups: Lookups;
  /** Told of what is left out, by reason and message. */
  readonly warn: (reason: string, message: string) => void;
}

async function valueFrom(variable: EnvVar, options: EnvironmentOptions): Promise<string | undefined> {
  const source = variable.valueFrom!;
  const where = `env ${variable.name}`;
  if (source.fieldRef !== undefined) {
    const value = fieldValue(options.pod, options.place, source.fieldRef.fieldPath);
    if (value === undefined) throw new ConfigError(`${where}: fieldPath ${source.fieldRef.fieldPath} is not supported`);
    return value;
  }
  if (source.resourceFieldRef !== undefined) {
    return resourceValue(options.pod, options.container, options.place.allocatable, source.resourceFieldRef);
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
  throw new ConfigError(
    `${where}: valueFrom must be fieldRef, resourceFieldRef, configMapKeyRef or secretKeyRef, not ${Object.keys(source).join(", ")}`,
  );
}

/** A name the kernel can carry. Kubernetes since 1.30 lets all printable ASCII but `=` be in one. */
const carried = (name: string): boolean => name !== "" && /^[\x20-\x3c\x3e-\x7e]+$/.test(name);

/** All keys of the ConfigMaps and Secrets of `envFrom`. */
async function fromSources(options: EnvironmentOptions): Promise<Record<string, string>> {
  const variables: Record<string, string> = {};
  for (const source of options.container.envFrom ?? []) {
    for (const [kind, reference] of [
      ["configMap", source.configMapRef],
      ["secret", source.secretRef],
    ] as const) {
      if (reference === undefined) continue;
      const data = await dataOf(options.lookups, kind, reference.name, reference.optional);
      const left: string[] = [];
      for (const [key, value] of Object.entries(data ?? {})) {
        const name = `${source.prefix ?? ""}${key}`;
        if (carried(name)) variables[name] = value.toString();
        else left.push(name);
      }
      if (left.length === 0) continue;
      const where = `${kind} ${options.pod.metadata.namespace}/${reference.name}`;
      options.warn(
        "InvalidEnvironmentVariableNames",
        `Keys [${left.sort().join(", ")}] from the EnvFrom ${where} were skipped since they are considered invalid environment variable names.`,
      );
    }
  }
  return variables;
}

/**
 * The variables that a pod's writer gives a container which starts now. Later ones win: service variables, `envFrom`, `env`
 * (DNS-170). In a value, `$(NAME)` is an earlier entry of `env`, else a service variable (DNS-172).
 * Throws ConfigError where something that is named is missing.
 */
export async function containerEnvironment(options: EnvironmentOptions): Promise<Record<string, string>> {
  const from = await fromSources(options);
  const own: Record<string, string> = {};
  for (const variable of options.container.env ?? []) {
    const value =
      variable.valueFrom === undefined
        ? expand(variable.value ?? "", (name) => own[name] ?? options.serviceVariables[name])
        : await valueFrom(variable, options);
    if (value !== undefined && carried(variable.name)) own[variable.name] = value;
  }
  return { ...options.serviceVariables, ...from, ...own };
}
