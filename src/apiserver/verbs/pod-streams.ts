import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Pod } from "../../api/generated/types.ts";
import type { Kind } from "../../api/kind.ts";
import { ApiError } from "../../api/status.ts";
import type { Context } from "../context.ts";
import { badRequest, notFound } from "../errors.ts";
import type { Exchange } from "../http/exchange.ts";
import { startAnswer } from "../http/respond.ts";
import type { ResourceRoute } from "../route.ts";
import { nodeWords } from "../stream/node-words.ts";
import type { NodeRequest } from "../streams.ts";
import { nodeOf, nodePath, streamsOf } from "../stream/ways.ts";
import { itemAt } from "../write.ts";
import { atOf, type Verb } from "./verb.ts";

/** The annotation by which a pod names the container that is meant when none is named. */
const DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container";

const LOG_OPTIONS = [
  "follow",
  "previous",
  "sinceSeconds",
  "sinceTime",
  "timestamps",
  "tailLines",
  "limitBytes",
  "stream",
];
const EXEC_OPTIONS = ["command", "stdin", "stdout", "stderr", "tty"];

function podAt(context: Context, kind: Kind, route: ResourceRoute): Pod {
  const item = itemAt(context, kind, atOf(route));
  if (item === undefined) throw notFound(kind, route.name ?? "");
  return item.object as Pod;
}

/** The container meant: the one named, the only one, or the pod's default one. @throws ApiError BadRequest */
function containerOf(pod: Pod, asked: string | null): string {
  const name = pod.metadata.name ?? "";
  const names = (pod.spec?.containers ?? []).map((container) => container.name);
  const init = (pod.spec?.initContainers ?? []).map((container) => container.name);
  const ephemeral = (pod.spec?.ephemeralContainers ?? []).map((container) => container.name);
  const all = [...names, ...init, ...ephemeral];
  if (asked !== null && asked !== "") {
    if (all.includes(asked)) return asked;
    throw badRequest(`container ${asked} is not valid for pod ${name}`);
  }
  if (names.length === 1) return names[0]!;
  const chosen = pod.metadata.annotations?.[DEFAULT_CONTAINER];
  if (chosen !== undefined && all.includes(chosen)) return chosen;
  const inits = init.length === 0 ? "" : ` or one of the init containers: [${init.join(" ")}]`;
  throw badRequest(`a container name must be specified for pod ${name}, choose one of: [${names.join(" ")}]${inits}`);
}

function kept(query: URLSearchParams, options: readonly string[]): string {
  const out = new URLSearchParams();
  for (const [name, value] of query) if (options.includes(name)) out.append(name, value);
  const text = out.toString();
  return text === "" ? "" : `?${text}`;
}

/** What a log request becomes at the node endpoint. */
function logRequest(pod: Pod, query: URLSearchParams): NodeRequest {
  const container = containerOf(pod, query.get("container"));
  const path =
    nodePath("containerLogs", pod.metadata.namespace, pod.metadata.name, container) + kept(query, LOG_OPTIONS);
  return { nodeName: nodeOf(pod), path };
}

/** What an exec, attach or portforward request becomes at the node endpoint. */
function upgradeRequest(pod: Pod, subresource: string, query: URLSearchParams): NodeRequest {
  const { namespace, name } = pod.metadata;
  const nodeName = nodeOf(pod);
  if (subresource === "portforward") {
    return { nodeName, path: nodePath("portForward", namespace, name) + kept(query, ["ports", "port"]) };
  }
  const options = kept(query, EXEC_OPTIONS)
    // The node endpoint's own words for the streams, as kubelet's.
    .replaceAll(
      /([?&])std(in|out|err)=/g,
      (_, sign: string, which: string) => `${sign}${{ in: "input", out: "output", err: "error" }[which]!}=`,
    )
    .replaceAll(/([?&](?:input|output|error|tty))=true(?=&|$)/g, "$1=1");
  return { nodeName, path: nodePath(subresource, namespace, name, containerOf(pod, query.get("container"))) + options };
}

/** GET of `pods/NAME/log`: what the container printed, streamed from its node. */
export const log: Verb = async (context, exchange, route) => {
  const pod = podAt(context, route.kind, route);
  const request = logRequest(pod, exchange.query);
  const answer = await streamsOf(context).log(request, exchange.signal);
  if (answer.code !== 200) {
    const words = await nodeWords(answer.body);
    const reason = answer.code === 404 ? "NotFound" : answer.code < 500 ? "BadRequest" : "InternalError";
    throw new ApiError(reason, words === "" ? `node ${request.nodeName} answered ${answer.code}` : words);
  }
  startAnswer(exchange, 200, "text/plain");
  (exchange.answer as { flushHeaders?: () => void }).flushHeaders?.();
  await pipeline(answer.body, exchange.answer, { signal: exchange.signal });
};

const UPGRADES = new Set(["exec", "attach", "portforward"]);

/** True for the requests that become a raw connection to a pod's node. */
export const isUpgrade = (route: ResourceRoute | undefined): route is ResourceRoute =>
  route !== undefined &&
  route.kind.plural === "pods" &&
  route.kind.group === "" &&
  UPGRADES.has(route.subresource ?? "");

/** Passes a client's upgraded connection to the pod's node. */
export async function upgrade(
  context: Context,
  exchange: Pick<Exchange, "query">,
  route: ResourceRoute,
  client: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): Promise<void> {
  const pod = podAt(context, route.kind, route);
  const request = upgradeRequest(pod, route.subresource ?? "", exchange.query);
  await streamsOf(context).upgrade(request, client, socket, head);
}

/** GET or POST of exec, attach, portforward without an upgrade. */
export const upgradeRequired: Verb = async () => {
  throw badRequest("Upgrade request required");
};
