import { stringify } from "yaml";
import { goDuration } from "../../api/go-duration.ts";
import { API_VERSION, FIELDS, KIND, type KubeProxyConfiguration, type Schema } from "./schema.ts";

function written(schema: Schema, value: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(schema)
      .filter(([name]) => value[name] !== undefined)
      .map(([name, type]) => [
        name,
        typeof type === "string"
          ? type === "duration"
            ? goDuration(value[name] as number)
            : value[name]
          : written(type, value[name] as Record<string, unknown>),
      ]),
  );
}

/** The configuration as an object of its kind: what `/configz` shows (PRX-120). */
export const encode = (configuration: KubeProxyConfiguration): Record<string, unknown> => ({
  apiVersion: API_VERSION,
  kind: KIND,
  ...written(FIELDS, configuration),
});

/** The same as YAML, for `--write-config-to` (PRX-255). */
export const encodeYaml = (configuration: KubeProxyConfiguration): string => stringify(encode(configuration));
