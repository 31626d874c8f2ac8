import type { ExternalAuth, Header } from "../../settings/settings.ts";
import { closes, differently, ignored, same, type AnnotationGroup } from "../group.ts";
import { HEADER_NAME, headersOf } from "../header-maps.ts";
import type { Said } from "../said.ts";
import { isHttpUrl, REQUEST_VARIABLES, unknownVariables } from "../variables.ts";

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE"];

const KEEPALIVE = ignored("connections to the authority are kept open in any case");

/** What goes to the authority beside the request's own headers. */
function requestHeadersOf(said: Said): readonly Header[] {
  const redirect = said.text("auth-request-redirect");
  return [
    ...(redirect === undefined ? [] : [{ name: "X-Auth-Request-Redirect", value: redirect }]),
    ...(said.text("auth-proxy-set-headers") === undefined ? [] : headersOf(said, "auth-proxy-set-headers")),
  ];
}

function signInOf(said: Said): string | undefined {
  const url = said.text("auth-signin");
  if (url === undefined) return undefined;
  const unknown = unknownVariables(url, REQUEST_VARIABLES);
  if (isHttpUrl(url) && unknown.length === 0) return url;
  const wanted = unknown.length > 0 ? `a URL without the variable $${unknown[0]}` : "an absolute URL of http or https";
  said.wrong("auth-signin", wanted, "clients without leave are answered 401");
  return undefined;
}

function externalAuthOf(said: Said, url: string): ExternalAuth | undefined {
  const unknown = unknownVariables(url, REQUEST_VARIABLES);
  if (!isHttpUrl(url) || unknown.length > 0) {
    const why =
      unknown.length > 0 ? `the variable $${unknown[0]} is not known` : "it must be an absolute URL of http or https";
    said.refuse("auth-url", `${JSON.stringify(url)}: ${why}`, "AnnotationInvalid");
    return undefined;
  }
  const method = said.text("auth-method");
  if (method !== undefined && !METHODS.includes(method)) {
    said.refuse("auth-method", `${JSON.stringify(method)} is not one of ${METHODS.join(", ")}`, "AnnotationInvalid");
  }
  const responseHeaders = said.list("auth-response-headers");
  const wrong = responseHeaders.find((name) => !HEADER_NAME.test(name));
  if (wrong !== undefined) {
    said.refuse("auth-response-headers", `${JSON.stringify(wrong)} is not the name of a header`, "AnnotationInvalid");
  }
  if (said.text("auth-snippet") !== undefined) {
    said.refuse("auth-snippet", "configuration of nginx cannot be done, and this would be asked of the authority");
  }
  return {
    url,
    method,
    signIn: signInOf(said),
    signInParameter: said.text("auth-signin-redirect-param") ?? "rd",
    responseHeaders,
    requestHeaders: requestHeadersOf(said),
    alwaysSetCookie: said.truth("auth-always-set-cookie", false),
  };
}

/** Somebody else is asked about each request. */
export const externalAuth: AnnotationGroup = {
  title: "External authentication",
  annotations: [
    { name: "auth-url", value: "URL", verdict: same },
    { name: "auth-method", value: "word", verdict: same },
    { name: "auth-signin", value: "URL", verdict: same },
    { name: "auth-signin-redirect-param", value: "text", verdict: same },
    { name: "auth-response-headers", value: "list", verdict: same },
    { name: "auth-request-redirect", value: "text", verdict: same },
    { name: "auth-always-set-cookie", value: "true or false", verdict: same },
    { name: "auth-proxy-set-headers", value: "ConfigMap", verdict: same },
    {
      name: "auth-cache-key",
      value: "text",
      verdict: differently("the authority is asked about every request: leave that it takes back is gone at once"),
    },
    { name: "auth-cache-duration", value: "text", verdict: ignored("the authority is asked about every request") },
    { name: "auth-keepalive", value: "number", verdict: KEEPALIVE },
    { name: "auth-keepalive-share-vars", value: "true or false", verdict: KEEPALIVE },
    { name: "auth-keepalive-requests", value: "number", verdict: KEEPALIVE },
    { name: "auth-keepalive-timeout", value: "seconds", verdict: KEEPALIVE },
    {
      name: "auth-snippet",
      value: "snippet",
      verdict: closes(
        "configuration of nginx cannot be done",
        "put headers for the authority into auth-proxy-set-headers",
      ),
    },
    {
      name: "enable-global-auth",
      value: "true or false",
      verdict: ignored("no authority is asked but by auth-url of the Ingress itself"),
    },
  ],
  read(said) {
    const url = said.text("auth-url");
    if (url !== undefined) return { settings: { externalAuth: externalAuthOf(said, url) } };
    if (said.text("auth-signin") !== undefined) {
      said.fault("auth-signin", "AnnotationInvalid", "without auth-url there is nobody to ask; it is ignored");
    }
    return {};
  },
};
