import { existsSync } from "node:fs";
import type { Connection } from "../../client/connection.ts";
import { readKubeconfig } from "../../client/kubeconfig.ts";
import { Failure } from "../failure.ts";

/**
 * How `fairlead proxy` reaches the API server: by the kubeconfig that was named; in a pod by its service account; else by the usual
 * kubeconfig. `master` takes the place of the server's address.
 */
export function proxyAccess(
  kubeconfig: string,
  master: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): Connection {
  const server = master === undefined ? {} : { server: master };
  const isPod = environment["KUBERNETES_SERVICE_HOST"] !== undefined;
  const usual = isPod
    ? {
        KUBERNETES_SERVICE_HOST: environment["KUBERNETES_SERVICE_HOST"],
        KUBERNETES_SERVICE_PORT: environment["KUBERNETES_SERVICE_PORT"],
        KUBECONFIG: environment["KUBECONFIG"],
      }
    : environment;
  try {
    if (kubeconfig === "" && master !== undefined && !isPod && !hasUsual(environment)) return { server: master };
    const { connection } = readKubeconfig({ ...(kubeconfig === "" ? {} : { path: kubeconfig }), environment: usual });
    return { ...connection, ...server, userAgent: "fairlead-proxy" };
  } catch (cause) {
    throw new Failure(`looking for the API server: ${(cause as Error).message}`, { cause });
  }
}

const hasUsual = ({ KUBECONFIG, HOME }: Readonly<Record<string, string | undefined>>): boolean =>
  Boolean(KUBECONFIG) || (HOME !== undefined && existsSync(`${HOME}/.kube/config`));
