import type { Endpoints, Pod, Service } from "../../api/generated/types.ts";
import { ApiError } from "../../api/status.ts";
import { badRequest } from "../errors.ts";

/** What a name in a proxy request says: `web`, `web:http`, `web:80`, `https:web:443`, `https:web:` (SVC-204). */
export interface ProxyName {
  /** All of it, as it was sent. */
  readonly text: string;
  readonly scheme: "http" | "https";
  readonly name: string;
  /** A port's name or number; `""` when none is said. */
  readonly port: string;
}

/** Where a proxied request goes: a port of a pod, at one of the pod's addresses. */
export interface ProxyTarget {
  readonly scheme: "http" | "https";
  readonly pod: Pod;
  readonly ip: string;
  readonly port: number;
}

/** Reads the name of a proxy request. @throws ApiError BadRequest */
export function readProxyName(what: "service" | "pod", text: string): ProxyName {
  const parts = text.split(":");
  const [scheme, name, port] =
    parts.length === 3
      ? parts
      : ["http", parts[0], parts.length === 2 ? parts[1] : parts.length === 1 ? "" : undefined];
  if (name === undefined || name === "" || port === undefined || (scheme !== "http" && scheme !== "https")) {
    throw badRequest(`invalid ${what} request ${JSON.stringify(text)}`);
  }
  return { text, scheme, name, port };
}

const unavailable = (message: string): ApiError => new ApiError("ServiceUnavailable", message);

/** The name of the Service's port that is meant: a number is the port's own, not a pod's (SVC-205). @throws ApiError ServiceUnavailable */
export function portNameOf(service: Service | undefined, asked: ProxyName): string {
  if (!/^-?\d+$/.test(asked.port)) return asked.port;
  const port = service?.spec?.ports?.find(({ port: number }) => number === Number(asked.port));
  if (port === undefined) {
    throw unavailable(`no service port ${Number(asked.port)} found for service ${JSON.stringify(asked.name)}`);
  }
  return port.name ?? "";
}

/**
 * A ready pod behind the port of this name, chosen by chance: a subset that has the port, then an address of it. Only addresses that a pod of
 * the namespace has at this moment count, so that nobody can send others anywhere by writing Endpoints by hand (SVC-207).
 *
 * @throws ApiError ServiceUnavailable when there is none (SVC-208)
 */
export function chooseTarget(
  endpoints: Endpoints,
  asked: ProxyName,
  portName: string,
  podOf: (name: string) => Pod | undefined,
  random: () => number,
): ProxyTarget {
  const subsets = endpoints.subsets ?? [];
  const turned = <T>(items: readonly T[]): T[] => {
    const start = Math.floor(random() * items.length);
    return [...items.slice(start), ...items.slice(0, start)];
  };
  for (const { addresses = [], ports = [] } of turned(subsets)) {
    const port = ports.find(({ name = "" }) => name === portName);
    if (port === undefined) continue;
    for (const { ip, targetRef } of turned(addresses)) {
      if (targetRef?.kind !== "Pod" || targetRef.namespace !== endpoints.metadata.namespace) continue;
      const pod = podOf(targetRef.name ?? "");
      if (pod?.status?.podIPs?.some((has) => has.ip === ip) !== true) continue;
      return { scheme: asked.scheme, pod, ip, port: port.port };
    }
  }
  throw unavailable(`no endpoints available for service ${JSON.stringify(asked.text)}`);
}

/** The pod's own port that is meant: the one said, else the first that a container declares (SVC-211). @throws ApiError BadRequest */
export function podTarget(pod: Pod, { scheme, port: asked }: ProxyName): ProxyTarget {
  const declared = pod.spec?.containers.find(({ ports = [] }) => ports.length > 0)?.ports?.[0]?.containerPort;
  const port = asked === "" ? (declared ?? (scheme === "https" ? 443 : 80)) : Number(asked);
  const ip = pod.status?.podIP ?? "";
  if (ip === "") throw badRequest("address not allowed");
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw badRequest(`the port of a pod proxy request is a number from 1 to 65535, not ${JSON.stringify(asked)}`);
  }
  return { scheme, pod, ip, port };
}
