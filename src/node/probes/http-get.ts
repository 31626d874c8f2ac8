import type { IncomingMessage, OutgoingHttpHeaders } from "node:http";
import { request as httpsRequest } from "node:https";
import type { HTTPGetAction } from "../../api/generated/types.ts";
import { hostPort } from "../../net/ip.ts";
import { portOf, type ProbeTarget } from "./target.ts";

/* Imported as a module, node:http brings all of fetch and WebSocket with it: 40 ms of every start. */
const { request: httpRequest } = process.getBuiltinModule("node:http");

/** How many redirects on one host are followed. */
const REDIRECTS = 10;

export interface HttpAnswer {
  readonly status: number;
  /** Where it leads, when that is another host: such a redirect is not followed. */
  readonly elsewhere?: string;
}

/** The address that an action asks. */
function urlOf(action: HTTPGetAction, target: ProbeTarget): URL {
  const host = action.host || target.podIP;
  const scheme = action.scheme === "HTTPS" ? "https" : "http";
  const path = action.path || "/";
  return new URL(
    `${scheme}://${hostPort(host, portOf(target.container, action.port))}${path.startsWith("/") ? "" : "/"}${path}`,
  );
}

/** The headers of a request: a name that is given twice is sent twice, and an empty one takes the usual away. */
function headersOf(action: HTTPGetAction, url: URL, agent: string): OutgoingHttpHeaders {
  const headers: Record<string, string[]> = {};
  for (const { name, value } of action.httpHeaders ?? []) (headers[name.toLowerCase()] ??= []).push(value);
  const usual = { "user-agent": `${agent}/1.36`, accept: "*/*" };
  for (const [name, value] of Object.entries(usual)) {
    const given = headers[name]?.[0];
    if (given === undefined) headers[name] = [value];
    else if (given === "") delete headers[name];
  }
  // Of several hosts the first counts, and the request goes to the same place whatever it says.
  const { host, ...rest } = headers;
  return { ...rest, host: host?.[0] || url.host };
}

const ask = (url: URL, headers: OutgoingHttpHeaders, signal: AbortSignal): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const options = { headers, agent: false as const, signal };
    const request =
      url.protocol === "https:"
        ? httpsRequest(url, { ...options, rejectUnauthorized: false })
        : httpRequest(url, options);
    request.once("error", reject);
    request.once("response", (response) => {
      response.once("error", () => {});
      // The body does not matter, and may be endless.
      response.destroy();
      resolve(response);
    });
    request.end();
  });

/** Asks, and follows redirects as long as they stay on the host (CTL-105). Throws when there is no answer. */
export async function httpGet(
  action: HTTPGetAction,
  target: ProbeTarget,
  agent: string,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  const first = urlOf(action, target);
  let url = first;
  let headers = headersOf(action, url, agent);
  for (let followed = 0; ; followed += 1) {
    const { statusCode: status = 0, headers: answered } = await ask(url, headers, signal);
    const isRedirect = [301, 302, 303, 307, 308].includes(status);
    if (!isRedirect || answered.location === undefined) return { status };
    const next = URL.parse(answered.location, url);
    if (next === null)
      throw new Error(
        `Get ${JSON.stringify(url.href)}: it leads to ${JSON.stringify(answered.location)}, which is no address`,
      );
    if (next.hostname !== first.hostname) return { status, elsewhere: next.href };
    if (followed === REDIRECTS)
      throw new Error(`Get ${JSON.stringify(next.href)}: stopped after ${REDIRECTS} redirects`);
    url = next;
    headers = { ...headers, host: next.host };
  }
}
