/** A container that cannot be started as its spec stands; it is tried again, since what it names may yet come. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/** The data of the ConfigMaps and Secrets of the pod's namespace, by name; undefined where there is none. */
export interface Lookups {
  configMap(name: string): Promise<Readonly<Record<string, Buffer>> | undefined>;
  secret(name: string): Promise<Readonly<Record<string, Buffer>> | undefined>;
}

/** The data of a ConfigMap or Secret that a spec names; undefined only where it may be missing. */
export async function dataOf(
  lookups: Lookups,
  kind: "configMap" | "secret",
  name: string | undefined,
  optional: boolean | undefined,
): Promise<Readonly<Record<string, Buffer>> | undefined> {
  const data = await lookups[kind](name ?? "");
  if (data === undefined && optional !== true) throw new ConfigError(`${kind.toLowerCase()} "${name ?? ""}" not found`);
  return data;
}
