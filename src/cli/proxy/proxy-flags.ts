import { BadFlag, FIELD_FLAGS, fromFlags, withFile } from "../../proxy/configuration/flags.ts";
import { decode, NotConfiguration } from "../../proxy/configuration/decode.ts";
import { HEALTHZ_PORT, METRICS_PORT, withDefaults, withPort } from "../../proxy/configuration/defaults.ts";
import { ignoredOf } from "../../proxy/configuration/meaning.ts";
import type { KubeProxyConfiguration } from "../../proxy/configuration/schema.ts";
import { validate } from "../../proxy/configuration/validate.ts";
import { Failure, UsageError } from "../failure.ts";
import type { Flag, Flags, Given } from "../flags.ts";

const VALUES = {
  string: "TEXT",
  integer: "NUMBER",
  number: "NUMBER",
  duration: "DURATION",
  strings: "LIST",
  gates: "GATES",
  any: "TEXT",
};

/** Flags of `fairlead proxy`: kube-proxy's. */
export const PROXY_FLAGS: Flags = {
  config: {
    type: "string",
    value: "FILE",
    help: "a KubeProxyConfiguration; most other flags are then passed over, and a change of it ends the process",
  },
  ...Object.fromEntries(
    Object.entries(FIELD_FLAGS).map(([name, { type, help }]): [string, Flag] => [
      name,
      type === "boolean"
        ? { type: "truth", help }
        : { type: "string", value: VALUES[type], help, ...(name === "v" ? { short: "v" } : {}) },
    ]),
  ),
  master: { type: "string", value: "URL", help: "the API server, instead of the one in the kubeconfig" },
  "healthz-port": { type: "string", value: "PORT", help: "deprecated: use --healthz-bind-address; 0: none" },
  "metrics-port": { type: "string", value: "PORT", help: "deprecated: use --metrics-bind-address; 0: none" },
  "write-config-to": {
    type: "string",
    value: "FILE",
    help: "write the configuration with its defaults there, and end",
  },
  cleanup: { type: "truth", help: "take away the rules of every mode, and end" },
  "init-only": { type: "truth", help: "do what needs all of root's rights, and end" },
  version: { type: "boolean", help: "say the version" },
};

export interface ProxyConfiguration {
  readonly configuration: KubeProxyConfiguration;
  /** What was read but does nothing, in sentences. */
  readonly warnings: readonly string[];
}

/** A port that was given by a flag of its own: 0 is no server at all. */
function addressOf(address: string, flag: string, port: string | undefined, usual: number): string {
  if (address === "" || port === undefined) return address;
  if (!/^\d+$/.test(port) || Number(port) > 65535)
    throw new UsageError(`--${flag}: ${JSON.stringify(port)} is not a port`);
  return port === "0"
    ? ""
    : withPort(
        address.endsWith(`:${usual}`) ? address.slice(0, -`:${usual}`.length).replace(/^\[(.*)\]$/, "$1") : address,
        Number(port),
      );
}

/** The configuration of `fairlead proxy`. Throws UsageError for a flag, Failure for a file or a value that will not do (PRX-251). */
export function proxyConfiguration(given: Given, readFile: (path: string) => string): ProxyConfiguration {
  const text = (name: string): string | undefined => given.values[name] as string | undefined;
  const flags = Object.fromEntries(
    Object.keys(FIELD_FLAGS).flatMap((name) => (text(name) === undefined ? [] : [[name, text(name)!]])),
  );
  const file = text("config");
  const warnings: string[] = [];
  try {
    if (file === undefined) {
      const all = withDefaults(fromFlags(flags));
      // By flag an empty address is no server; in a file it is the usual one.
      const healthz = flags["healthz-bind-address"] === "" ? "" : all.healthzBindAddress;
      const metrics = flags["metrics-bind-address"] === "" ? "" : all.metricsBindAddress;
      return checked(
        {
          ...all,
          healthzBindAddress: addressOf(healthz, "healthz-port", text("healthz-port"), HEALTHZ_PORT),
          metricsBindAddress: addressOf(metrics, "metrics-port", text("metrics-port"), METRICS_PORT),
        },
        warnings,
      );
    }
    const decoded = decode(readFile(file));
    const { given: fields, passedOver } = withFile(decoded.given, flags);
    if (passedOver.length > 0) {
      warnings.push(`passed over, because ${file} is stronger: ${passedOver.map((name) => `--${name}`).join(", ")}`);
    }
    for (const warning of decoded.warnings) warnings.push(`${file}: ${warning}; the rest holds`);
    return checked(withDefaults(fields), warnings);
  } catch (error) {
    if (error instanceof BadFlag) throw new UsageError(error.message, { cause: error });
    if (error instanceof NotConfiguration || (error instanceof Error && "code" in error)) {
      throw new Failure(`reading the configuration ${file}: ${error.message}`, { cause: error });
    }
    throw error;
  }
}

function checked(configuration: KubeProxyConfiguration, warnings: readonly string[]): ProxyConfiguration {
  const faults = validate(configuration);
  if (faults.length > 0) {
    throw new Failure(faults.map(({ field, message }) => `${field}: ${message}`).join("\n"));
  }
  return { configuration, warnings: [...warnings, ...ignoredOf(configuration)] };
}
