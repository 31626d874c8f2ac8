import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { UsageError } from "../failure.ts";

/** Where everything lies below the data directory. */
export interface DataLayout {
  readonly directory: string;
  readonly kubeconfig: string;
  readonly pki: string;
  readonly database: string;
  readonly run: string;
  /** The API server, for parts in another network namespace. */
  readonly serverSocket: string;
  /** The node endpoint, for the API server. */
  readonly nodeSocket: string;
  /** Node ports of a private site, for the publisher in the host's network. */
  readonly dialerSocket: string;
  readonly logs: string;
  readonly node: string;
  readonly lock: string;
  /** The process ids of the server and of the site. */
  readonly processes: readonly [server: string, site: string];
  /** The proxy mode that carries, for `status`. */
  readonly proxyMode: string;
  /** What carries Ingress, and its ports, as JSON, for `status`; not there while there is none. */
  readonly ingress: string;
  /** Sentences about pods' traffic that somebody drops, as JSON, for `status`; not there when all passes. */
  readonly trafficDropped: string;
  /** What was made outside the data directory, so that it can be taken away after any death. */
  readonly made: string;
}

/** `--data`, else `/var/lib/fairlead` for root and `~/.local/share/fairlead` for everybody else. */
export const dataDirectory = (given: string | undefined, uid: number, environment: NodeJS.ProcessEnv): string => {
  if (given === "") throw new UsageError("--data: the name is empty; give the directory to keep everything in");
  if (given !== undefined) return resolve(given);
  if (uid === 0) return "/var/lib/fairlead";
  return join(environment["XDG_DATA_HOME"] ?? join(homedir(), ".local/share"), "fairlead");
};

export const layoutOf = (directory: string): DataLayout => ({
  directory,
  kubeconfig: join(directory, "kubeconfig"),
  pki: join(directory, "pki"),
  database: join(directory, "store.db"),
  run: join(directory, "run"),
  serverSocket: join(directory, "run/server.sock"),
  nodeSocket: join(directory, "run/node.sock"),
  dialerSocket: join(directory, "run/dialer.sock"),
  logs: join(directory, "logs"),
  node: join(directory, "node"),
  lock: join(directory, "run/lock.json"),
  processes: [join(directory, "run/server.json"), join(directory, "run/site.json")],
  proxyMode: join(directory, "run/proxy-mode"),
  ingress: join(directory, "run/ingress.json"),
  trafficDropped: join(directory, "run/traffic-dropped.json"),
  made: join(directory, "run/made.json"),
});
