import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parse } from "yaml";
import type { Connection } from "./connection.ts";

export interface KubeconfigOptions {
  /** `--kubeconfig`: this file and no other. */
  readonly path?: string;
  /** `--context`: instead of the file's `current-context`. */
  readonly context?: string;
  /** `KUBECONFIG`, `HOME`, `KUBERNETES_SERVICE_HOST` and `KUBERNETES_SERVICE_PORT` are read. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** For tests; throws as `readFileSync` does. */
  readonly readFile?: (path: string) => string;
}

/** How to reach the API server, and the namespace that commands mean when they name none. */
export interface Access {
  readonly connection: Connection;
  readonly namespace: string;
  /** Where this was read, for messages. */
  readonly source: string;
}

type Fields = Readonly<Record<string, unknown>>;

/** Where a pod finds its own credentials (Kubernetes: "Accessing the API from within a Pod"). */
const SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";

const isMissing = (error: unknown): boolean => error instanceof Error && "code" in error && error.code === "ENOENT";

const fieldsOf = (value: unknown): Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};

const textOf = (fields: Fields, name: string): string | undefined => {
  const value = fields[name];
  return typeof value === "string" && value !== "" ? value : undefined;
};

/** A named entry of `clusters`, `users` or `contexts`, with the file it stands in: its paths are relative to that. */
interface Entry {
  readonly fields: Fields;
  readonly file: string;
}

interface Merged {
  readonly clusters: Map<string, Entry>;
  readonly users: Map<string, Entry>;
  readonly contexts: Map<string, Entry>;
  current: string | undefined;
}

/** Of several files, the first to say a thing wins, as with kubectl. */
function mergeInto(merged: Merged, text: string, file: string): void {
  let document: unknown;
  try {
    document = parse(text, { version: "1.1", maxAliasCount: 100 });
  } catch (cause) {
    throw new Error(`kubeconfig ${file} is no YAML: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
  const config = fieldsOf(document);
  merged.current ??= textOf(config, "current-context");
  const kinds = [
    ["clusters", "cluster", merged.clusters],
    ["users", "user", merged.users],
    ["contexts", "context", merged.contexts],
  ] as const;
  for (const [list, member, into] of kinds) {
    const entries = config[list];
    for (const entry of Array.isArray(entries) ? entries.map(fieldsOf) : []) {
      const name = textOf(entry, "name");
      if (name !== undefined && !into.has(name)) into.set(name, { fields: fieldsOf(entry[member]), file });
    }
  }
}

/** Reads what says how to reach the API server. Throws a sentence that names the file and what it lacks. */
export function readKubeconfig(options: KubeconfigOptions): Access {
  const { environment } = options;
  const readFile = options.readFile ?? ((path: string) => readFileSync(path, "utf8"));
  const listed = options.path === undefined ? environment["KUBECONFIG"] : undefined;
  const home = environment["HOME"];
  const files =
    options.path !== undefined
      ? [options.path]
      : listed !== undefined && listed !== ""
        ? listed.split(":").filter((file) => file !== "")
        : home === undefined
          ? []
          : [join(home, ".kube", "config")];

  const merged: Merged = { clusters: new Map(), users: new Map(), contexts: new Map(), current: undefined };
  const read: string[] = [];
  for (const file of files) {
    try {
      mergeInto(merged, readFile(file), file);
      read.push(file);
    } catch (error) {
      // kubectl skips files of the list that do not exist; a file named by a flag must exist.
      if (!isMissing(error) || options.path !== undefined) throw error;
    }
  }
  if (read.length === 0) {
    if (environment["KUBERNETES_SERVICE_HOST"]) return inCluster(environment, readFile);
    throw new Error(
      `no kubeconfig: ${files.join(", ") || "neither KUBECONFIG nor HOME is set"}${files.length > 0 ? " does not exist" : ""}; name one with --kubeconfig`,
    );
  }
  return accessOf(merged, options.context, read.join(":"), readFile);
}

function entryOf(entries: Map<string, Entry>, kind: string, name: string | undefined, source: string): Entry {
  const found = name === undefined ? undefined : entries.get(name);
  if (found !== undefined) return found;
  const known = [...entries.keys()].join(", ") || "none";
  throw new Error(`kubeconfig ${source} has no ${kind} ${JSON.stringify(name ?? "")}; it has: ${known}`);
}

function accessOf(
  merged: Merged,
  wanted: string | undefined,
  source: string,
  readFile: (path: string) => string,
): Access {
  const contextName = wanted ?? merged.current;
  if (contextName === undefined)
    throw new Error(`kubeconfig ${source} has no current-context; name one with --context`);
  const context = entryOf(merged.contexts, "context", contextName, source);
  const cluster = entryOf(merged.clusters, "cluster", textOf(context.fields, "cluster"), source);
  const userName = textOf(context.fields, "user");
  const user = userName === undefined ? { fields: {}, file: "" } : entryOf(merged.users, "user", userName, source);
  const server = textOf(cluster.fields, "server");
  if (server === undefined)
    throw new Error(`kubeconfig ${source}: the cluster of context ${contextName} has no server`);
  if (textOf(cluster.fields, "proxy-url") !== undefined) {
    throw new Error(`kubeconfig ${source}: proxy-url is not supported; the server must be reached directly`);
  }
  for (const way of ["exec", "auth-provider", "username", "as"]) {
    if (user.fields[way] !== undefined && user.fields[way] !== null) {
      throw new Error(
        `kubeconfig ${source}: user ${userName ?? ""} uses ${way}, which is not supported; use a client certificate or a token`,
      );
    }
  }

  /** `<name>-data` (base64) or else the file `<name>`. */
  const pem = (entry: Entry, name: string): string | undefined => {
    const data = textOf(entry.fields, `${name}-data`);
    if (data !== undefined) return Buffer.from(data, "base64").toString("utf8");
    const file = textOf(entry.fields, name);
    return file === undefined ? undefined : readFile(resolve(dirname(entry.file), file));
  };
  const ca = pem(cluster, "certificate-authority");
  const cert = pem(user, "client-certificate");
  const key = pem(user, "client-key");
  const serverName = textOf(cluster.fields, "tls-server-name");
  const tokenFile = textOf(user.fields, "tokenFile");
  // The file wins over the text, as with kubectl, because it is the one that is kept fresh.
  const token =
    tokenFile === undefined
      ? textOf(user.fields, "token")
      : () => readFile(resolve(dirname(user.file), tokenFile)).trim();
  return {
    connection: {
      server,
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      ...(token === undefined ? {} : { token }),
      ...(serverName === undefined ? {} : { serverName }),
      ...(cluster.fields["insecure-skip-tls-verify"] === true ? { insecure: true } : {}),
    },
    namespace: textOf(context.fields, "namespace") ?? "default",
    source,
  };
}

function inCluster(
  environment: Readonly<Record<string, string | undefined>>,
  readFile: (path: string) => string,
): Access {
  const host = environment["KUBERNETES_SERVICE_HOST"] ?? "";
  const port = environment["KUBERNETES_SERVICE_PORT"] ?? "443";
  return {
    connection: {
      server: `https://${host.includes(":") ? `[${host}]` : host}:${port}`,
      ca: readFile(`${SERVICE_ACCOUNT}/ca.crt`),
      token: () => readFile(`${SERVICE_ACCOUNT}/token`).trim(),
    },
    namespace: readFile(`${SERVICE_ACCOUNT}/namespace`).trim() || "default",
    source: SERVICE_ACCOUNT,
  };
}
