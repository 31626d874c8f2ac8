import { connect as connectTls } from "node:tls";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Endpoints, Pod, Service } from "../../api/generated/types.ts";
import type { KubeObject, Resource } from "../../api/object.ts";
import { endpoints, pods, services } from "../../api/resources.ts";
import { ApiError } from "../../api/status.ts";
import type { Context } from "../context.ts";
import { notFound } from "../errors.ts";
import { startAnswer } from "../http/respond.ts";
import { forward, forwardUpgrade, type Forwarded, type Reached } from "../forwarding/forward.ts";
import { chooseTarget, podTarget, portNameOf, readProxyName, type ProxyTarget } from "../forwarding/target.ts";
import type { ResourceRoute } from "../route.ts";
import { nodeOf, nodePath, streamsOf } from "../stream/ways.ts";
import { itemAt } from "../write.ts";
import type { Verb } from "./verb.ts";

/** `told`: of which resource a client hears that it is not there. */
function objectAt(
  context: Context,
  resource: Resource,
  namespace: string,
  name: string,
  told: Resource = resource,
): KubeObject {
  const kind = context.kinds.find(resource.group, resource.version, resource.plural);
  const item = kind && itemAt(context, kind, { namespace, name });
  if (item === undefined) throw notFound(told, name);
  return item.object;
}

const chance = (context: Context): number => context.random(1)[0]! / 256;

/** Which port of which pod a proxy request is for. @throws ApiError */
function targetOf(context: Context, { kind, namespace = "", name = "" }: ResourceRoute): ProxyTarget {
  const asked = readProxyName(kind.plural === "pods" ? "pod" : "service", name);
  if (kind.plural === "pods") return podTarget(objectAt(context, pods, namespace, asked.name) as Pod, asked);
  // Only a number needs the Service: a name is looked for among the endpoints' own ports.
  const isNumber = /^-?\d+$/.test(asked.port);
  const service = isNumber ? (objectAt(context, services, namespace, asked.name) as Service) : undefined;
  const portName = portNameOf(service, asked);
  const podKind = context.kinds.find("", "v1", "pods");
  const podOf = (pod: string): Pod | undefined =>
    podKind && (itemAt(context, podKind, { namespace, name: pod })?.object as Pod | undefined);
  const from = objectAt(context, endpoints, namespace, asked.name, services) as Endpoints;
  return chooseTarget(from, asked, portName, podOf, () => chance(context));
}

/** TLS to a pod. Whom its certificate names is nobody's promise here: pods make their own, as upstream's proxy takes it. */
const secured = (plain: Duplex): Promise<Duplex> =>
  new Promise((resolve, reject) => {
    const socket = connectTls({ socket: plain, rejectUnauthorized: false, ALPNProtocols: ["http/1.1"] });
    socket.once("error", (error) => {
      plain.destroy();
      reject(new ApiError("ServiceUnavailable", `error trying to reach service: ${error.message}`));
    });
    socket.once("secureConnect", () => resolve(socket));
  });

async function reach(context: Context, { scheme, pod, ip, port }: ProxyTarget): Promise<Reached> {
  const { namespace, name } = pod.metadata;
  const path = nodePath("dial", namespace, name, ip, String(port));
  const plain = await streamsOf(context)
    .dial({ nodeName: nodeOf(pod), path })
    .catch((cause: Error) => {
      throw new ApiError("ServiceUnavailable", `error trying to reach service: ${cause.message}`, undefined, { cause });
    });
  const socket = scheme === "https" ? await secured(plain) : plain;
  return { socket, host: `${ip.includes(":") ? `[${ip}]` : ip}:${port}` };
}

async function forwarded(context: Context, route: ResourceRoute, query: string): Promise<Forwarded> {
  const reached = await reach(context, targetOf(context, route));
  const { namespace, name = "", kind, proxied = "" } = route;
  const prefix = `/api/v1${nodePath("namespaces", namespace, kind.plural)}/${encodeURIComponent(name)}/proxy`;
  return { ...reached, prefix, path: `${proxied === "" ? "/" : proxied}${query === "" ? "" : `?${query}`}` };
}

const queryOf = (url: string | undefined): string => /\?(.*)$/s.exec(url ?? "")?.[1] ?? "";

/** Any method of `services/NAME/proxy/…` and `pods/NAME/proxy/…`: passed on to a pod (SVC-204 … SVC-211). */
export const proxy: Verb = async (context, exchange, route) => {
  const { method, path, request } = exchange;
  if (route.proxied === "" && (method === "GET" || method === "HEAD")) {
    // Relative links of the page would otherwise miss the last segment (SVC-210); what leads nowhere is told first.
    targetOf(context, route);
    const query = queryOf(request.url);
    startAnswer(exchange, 301, "text/html; charset=utf-8");
    exchange.answer.setHeader("location", `${path}/${query === "" ? "" : `?${query}`}`);
    exchange.answer.end();
    return;
  }
  await forward(exchange, await forwarded(context, route, queryOf(request.url)));
};

/** Passes a client's upgraded connection to a pod. */
export async function proxyUpgrade(
  context: Context,
  route: ResourceRoute,
  client: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): Promise<void> {
  await forwardUpgrade(client, socket, head, await forwarded(context, route, queryOf(client.url)));
}
