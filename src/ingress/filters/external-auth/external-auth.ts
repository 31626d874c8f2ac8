import type { Log } from "../../../observe/log.ts";
import { endToEnd } from "../../heads/forwarding.ts";
import type { RoutePlan } from "../../plan/plan.ts";
import type { Answer, RequestHead } from "../../request.ts";
import type { ExternalAuth } from "../../settings/settings.ts";
import { encodedText } from "../encoded.ts";
import { requestedAuthority, requestedTarget } from "../requested.ts";
import type { Admit, Forward, Respond } from "../step.ts";
import { headerTemplate, template, type Template } from "../variables.ts";
import type { Ask, AuthorityAnswer, AuthorityRequest } from "./authority.ts";

/** Statuses with which cookies of the authority go along, unless they always do. As nginx's `add_header`. */
const WITH_COOKIES: ReadonlySet<number> = new Set([200, 201, 204, 206, 301, 302, 303, 304, 307, 308]);

/** About a body that is not sent, or a copy that the authority does not have. */
const NOT_FOR_AUTHORITY =
  /^(?:host|content-length|content-encoding|expect|trailer|range|if-.*|x-forwarded-.*|forwarded|x-original-.*|ssl-client-.*|proxy)$/;
/** Never taken from an authority: they say where a message goes and where it ends. */
const NOT_FROM_AUTHORITY: ReadonlySet<string> = new Set([
  "host",
  "connection",
  "content-length",
  "transfer-encoding",
  "upgrade",
  "te",
  "keep-alive",
]);

const requestedUrl = (request: RequestHead): string =>
  `${request.scheme}://${requestedAuthority(request) ?? ""}${requestedTarget(request)}`;

/** What an authority is asked about a request. */
function question(
  request: RequestHead,
  method: string,
  url: string,
  own: readonly { readonly name: string; readonly value: Template }[],
): AuthorityRequest {
  const headers: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(endToEnd(request.headers))) {
    if (value !== undefined && !NOT_FOR_AUTHORITY.test(name)) headers[name] = value as string | string[];
  }
  const target = requestedTarget(request);
  headers["x-original-url"] = requestedUrl(request);
  headers["x-original-method"] = request.method;
  headers["x-auth-request-redirect"] = target;
  headers["x-request-id"] = request.requestId;
  headers["x-real-ip"] = request.client;
  headers["x-forwarded-for"] = request.client;
  headers["x-forwarded-host"] = request.authority;
  headers["x-forwarded-proto"] = request.scheme;
  headers["x-forwarded-method"] = request.method;
  headers["x-forwarded-uri"] = target;
  for (const { name, value } of own) headers[name] = value(request);
  return { method, url, headers };
}

/** Where a client is sent to sign in: with where it wanted to go, unless the address says that itself. */
function signInUrl(page: string, parameter: string): (request: RequestHead) => string {
  const query = page.includes("?") ? page.slice(page.indexOf("?") + 1) : undefined;
  const isSaid = query?.split("&").some((part) => part.split("=")[0] === parameter) ?? false;
  if (isSaid) return () => page;
  const start = `${page}${query === undefined ? "?" : query === "" ? "" : "&"}${encodeURIComponent(parameter)}=`;
  return (request) => start + encodeURIComponent(requestedUrl(request));
}

const listed = (value: string | string[] | undefined): readonly string[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value];

/** `settings.externalAuth`: somebody else says who is let in. Without a clear word of leave nobody is. */
export function externalAuth(
  setting: ExternalAuth,
  route: RoutePlan,
  ask: Ask,
  log: Log,
): { readonly admit: Admit; readonly forward: Forward; readonly respond: Respond } {
  const url = template(encodedText(setting.url), route);
  const own = setting.requestHeaders.map(({ name, value }) => ({
    name: name.toLowerCase(),
    value: headerTemplate(value, route),
  }));
  const taken = setting.responseHeaders
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== "" && !NOT_FROM_AUTHORITY.has(name));
  const signIn = setting.signIn;
  const signInTemplate = signIn === undefined ? undefined : template(encodedText(signIn), route);
  const answers = new WeakMap<RequestHead, AuthorityAnswer>();

  const refusal = (request: RequestHead, { status, headers }: AuthorityAnswer): Answer => {
    if (status === 403) return { status };
    if (status !== 401) {
      log.warn({ route: route.id, status }, "the authority says neither yes nor no: answered 500");
      return { status: 500 };
    }
    if (signInTemplate !== undefined) {
      const location = signInUrl(signInTemplate(request), setting.signInParameter)(request);
      return { status: 302, headers: { location, "cache-control": "no-store" } };
    }
    const wanted = headers["www-authenticate"];
    return wanted === undefined ? { status } : { status, headers: { "www-authenticate": wanted } };
  };

  return {
    async admit(request) {
      let answer: AuthorityAnswer;
      try {
        answer = await ask(question(request, setting.method ?? "GET", url(request), own));
      } catch (error) {
        log.warn(
          { route: route.id, error: (error as Error).message },
          "the authority could not be asked: answered 500",
        );
        return { status: 500 };
      }
      answers.set(request, answer);
      return answer.status >= 200 && answer.status < 300 ? undefined : refusal(request, answer);
    },
    forward({ headers }, request) {
      const said = answers.get(request)?.headers;
      for (const name of taken) {
        const value = said?.[name];
        // What the client says of itself in these is nothing that the authority has said.
        if (value === undefined) delete headers[name];
        else headers[name] = value;
      }
    },
    respond(response, request) {
      const set = listed(answers.get(request)?.headers["set-cookie"]);
      if (set.length === 0 || !(setting.alwaysSetCookie || WITH_COOKIES.has(response.status))) return;
      const others = response.headers["set-cookie"];
      response.headers["set-cookie"] = [...listed(others), ...set];
    },
  };
}
