import { existsSync, readFileSync } from "node:fs";
import type { Connection } from "../client/connection.ts";
import { readKubeconfig } from "../client/kubeconfig.ts";
import { Failure } from "./failure.ts";
import { fileFault } from "./file-fault.ts";

/** What was said about the API server of a part that runs alone. Files are paths. */
export interface AccessWish {
  /** This kubeconfig and no other. */
  readonly kubeconfig?: string | undefined;
  /** Instead of the kubeconfig's current one. */
  readonly context?: string | undefined;
  /** The server's URL, in the place of the one that is found. */
  readonly server?: string | undefined;
  /** Instead of what is found. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca: string } | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

const hasUsual = ({ KUBECONFIG, HOME }: Environment): boolean =>
  Boolean(KUBECONFIG) || (HOME !== undefined && existsSync(`${HOME}/.kube/config`));

/**
 * How a part that runs alone reaches the API server: by the kubeconfig that was named; in a pod by its service account; else by the
 * usual kubeconfig. Throws Failure.
 */
export function apiAccess(wish: AccessWish, environment: Environment, userAgent: string): Connection {
  const { kubeconfig, context } = wish;
  const isPod = environment["KUBERNETES_SERVICE_HOST"] !== undefined;
  const usual = isPod
    ? {
        KUBERNETES_SERVICE_HOST: environment["KUBERNETES_SERVICE_HOST"],
        KUBERNETES_SERVICE_PORT: environment["KUBERNETES_SERVICE_PORT"],
        KUBECONFIG: environment["KUBECONFIG"],
      }
    : environment;
  try {
    const told = {
      ...(wish.server === undefined ? {} : { server: wish.server }),
      ...(wish.tls === undefined
        ? {}
        : {
            cert: readFileSync(wish.tls.cert, "utf8"),
            key: readFileSync(wish.tls.key, "utf8"),
            ca: readFileSync(wish.tls.ca, "utf8"),
          }),
      userAgent,
    };
    const { server } = told;
    if (
      kubeconfig === undefined &&
      server !== undefined &&
      (wish.tls !== undefined || !(isPod || hasUsual(environment)))
    )
      return { ...told, server };
    const { connection } = readKubeconfig({
      ...(kubeconfig === undefined ? {} : { path: kubeconfig }),
      ...(context === undefined ? {} : { context }),
      environment: usual,
    });
    return { ...connection, ...told };
  } catch (cause) {
    throw new Failure(`looking for the API server: ${fileFault(cause, kubeconfig)}`, { cause });
  }
}
