import { writePrivate } from "./files.ts";

export interface KubeconfigOptions {
  /** `https://127.0.0.1:6443` */
  readonly server: string;
  /** PEM, embedded: the file works wherever it is copied to. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  /** Name of cluster and context; `fairlead` unless told. */
  readonly cluster?: string;
  readonly user?: string;
  readonly namespace?: string;
  /** The name to look for in the server's certificate where it is not the server's own. */
  readonly tlsServerName?: string;
}

const base64 = (text: string): string => Buffer.from(text).toString("base64");
/** A JSON string is a YAML string. */
const quoted = (text: string): string => JSON.stringify(text);

/** The text of a kubeconfig (`v1 Config`) with one context, for kubectl and client libraries. */
export function kubeconfig(options: KubeconfigOptions): string {
  const cluster = quoted(options.cluster ?? "fairlead");
  const user = quoted(options.user ?? "kubernetes-admin");
  const lines = [
    "apiVersion: v1",
    "kind: Config",
    "clusters:",
    `- name: ${cluster}`,
    "  cluster:",
    `    server: ${quoted(options.server)}`,
    `    certificate-authority-data: ${base64(options.ca)}`,
    ...(options.tlsServerName === undefined ? [] : [`    tls-server-name: ${quoted(options.tlsServerName)}`]),
    "users:",
    `- name: ${user}`,
    "  user:",
    `    client-certificate-data: ${base64(options.cert)}`,
    `    client-key-data: ${base64(options.key)}`,
    "contexts:",
    `- name: ${cluster}`,
    "  context:",
    `    cluster: ${cluster}`,
    `    user: ${user}`,
    ...(options.namespace === undefined ? [] : [`    namespace: ${quoted(options.namespace)}`]),
    `current-context: ${cluster}`,
  ];
  return `${lines.join("\n")}\n`;
}

/** Writes a kubeconfig for its owner's eyes (mode 0600), whole or not at all. */
export const writeKubeconfig = (path: string, options: KubeconfigOptions): Promise<void> =>
  writePrivate(path, kubeconfig(options));
