import type { UpstreamTls } from "../../plan/plan.ts";
import { closes, differently, ignored, refused, same, type AnnotationGroup } from "../group.ts";
import type { Said } from "../said.ts";

type Protocol = "HTTP" | "HTTPS" | "GRPC" | "GRPCS";

const NO_FASTCGI = closes(
  "FastCGI is not spoken",
  "put a server for HTTP before the program, as php-fpm images with nginx do",
);

function protocolOf(said: Said): Protocol {
  const text = said.text("backend-protocol")?.toUpperCase();
  switch (text) {
    case undefined:
    case "AUTO_HTTP":
      return "HTTP";
    case "HTTP":
    case "HTTPS":
    case "GRPC":
    case "GRPCS":
      return text;
    case "FCGI":
    case "AJP":
      said.refuse("backend-protocol", `${text} is not spoken, but HTTP, HTTPS, GRPC and GRPCS`);
      return "HTTP";
    default:
      said.wrong("backend-protocol", "one of HTTP, HTTPS, GRPC, GRPCS", "HTTP is taken");
      return "HTTP";
  }
}

const entry = (data: Readonly<Record<string, string>>, key: string): string | undefined =>
  data[key] === undefined ? undefined : Buffer.from(data[key], "base64").toString("utf8");

function tlsOf(said: Said): UpstreamTls {
  const isVerified = said.word("proxy-ssl-verify", ["on", "off"], "off") === "on";
  const named = said.text("proxy-ssl-name");
  const isNamed = named !== undefined || said.word("proxy-ssl-server-name", ["on", "off"], "off") === "on";
  const host = said.text("upstream-vhost");
  const data = said.text("proxy-ssl-secret") === undefined ? {} : (said.secret("proxy-ssl-secret")?.data ?? {});
  const ca = entry(data, "ca.crt");
  if (isVerified && ca === undefined && said.refused === undefined) {
    said.refuse("proxy-ssl-verify", "there is nothing to verify by: proxy-ssl-secret must name a Secret with ca.crt");
  }
  const certificate = entry(data, "tls.crt");
  const key = entry(data, "tls.key");
  if ((certificate === undefined) !== (key === undefined)) {
    said.refuse("proxy-ssl-secret", "the Secret must have both of tls.crt and tls.key, or neither");
  }
  return {
    ca: isVerified ? ca : undefined,
    certificate: key === undefined ? undefined : certificate,
    key: certificate === undefined ? undefined : key,
    serverName: isNamed ? (named ?? (host?.includes("$") === true ? undefined : host)) : undefined,
  };
}

/** What is spoken to the endpoints, and how they are known. */
export const backendProtocol: AnnotationGroup = {
  title: "Protocol of the backend",
  annotations: [
    {
      name: "backend-protocol",
      value: "word",
      verdict: same,
      exceptions: {
        fcgi: NO_FASTCGI,
        ajp: NO_FASTCGI,
        auto_http: differently("HTTP is spoken, also for requests over TLS"),
      },
    },
    { name: "fastcgi-index", value: "text", verdict: refused("FastCGI is not spoken", "see backend-protocol") },
    {
      name: "fastcgi-params-configmap",
      value: "ConfigMap",
      verdict: refused("FastCGI is not spoken", "see backend-protocol"),
    },
    { name: "proxy-ssl-secret", value: "Secret", verdict: same },
    {
      name: "proxy-ssl-verify",
      value: "word",
      verdict: differently(
        "without a ca.crt to verify by requests are answered 503, where ingress-nginx verifies nothing",
      ),
      exceptions: { off: same },
    },
    {
      name: "proxy-ssl-verify-depth",
      value: "number",
      verdict: ignored("the chain is followed to its end, however long it is"),
    },
    {
      name: "proxy-ssl-name",
      value: "text",
      verdict: differently("it is asked for without proxy-ssl-secret and proxy-ssl-server-name, too"),
    },
    {
      name: "proxy-ssl-server-name",
      value: "word",
      verdict: differently("the name is proxy-ssl-name, else upstream-vhost, else none"),
      exceptions: { off: same },
    },
    { name: "proxy-ssl-ciphers", value: "text", verdict: differently("those that are held sound are offered") },
    { name: "proxy-ssl-protocols", value: "text", verdict: differently("TLS 1.2 and 1.3 are offered") },
    {
      name: "proxy-http-version",
      value: "word",
      verdict: differently("HTTP/1.1 is spoken"),
      exceptions: { "1.1": same },
    },
  ],
  read(said) {
    const protocol = protocolOf(said);
    const isTls = protocol === "HTTPS" || protocol === "GRPCS";
    return { backend: { protocol, tls: isTls ? tlsOf(said) : undefined } };
  },
};
