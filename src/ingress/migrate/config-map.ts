import type { ConfigMap } from "../../api/generated/types.ts";
import { shortened, type Document, type Finding, type Outcome } from "./report.ts";

/** What of the ConfigMap of ingress-nginx has to be said elsewhere. All others tune nginx itself. */
const KEYS: readonly (readonly [key: RegExp, outcome: Outcome, why: string, instead: string])[] = [
  [
    /^(?:whitelist-source-range|denylist-source-range|block-(?:cidrs|user-agents|referers))$/,
    "not",
    "it keeps clients out of every Ingress",
    "say allowlist-source-range or denylist-source-range on each Ingress",
  ],
  [
    /^(?:global-auth-.*|no-auth-locations)$/,
    "not",
    "it asks an authority about every request of every Ingress",
    "say auth-url and its relatives on each Ingress",
  ],
  [
    /^(?:enable-modsecurity|enable-owasp-modsecurity-crs|modsecurity-snippet)$/,
    "not",
    "there is no ModSecurity here",
    "put a web application firewall before or behind the Ingress",
  ],
  [
    /^(?:main|http|server|stream|location)-snippet$/,
    "not",
    "configuration of nginx cannot be done",
    "use the annotation for what it does",
  ],
  [
    /^(?:use-forwarded-headers|proxy-real-ip-cidr|enable-real-ip|compute-full-forwarded-for|forwarded-for-header)$/,
    "differently",
    "it is not read",
    "run with --forwarded-trust CIDR: who may say in X-Forwarded-* for whom it asks",
  ],
  [/^use-proxy-protocol$/, "differently", "it is not read", "run with --proxy-protocol"],
  [
    /^(?:disable-access-log|access-log-path|http-access-log-path|log-format-.*|skip-access-log-urls)$/,
    "differently",
    "it is not read",
    "run with --access-log FILE, or enable-access-log on the Ingress",
  ],
  [
    /^(?:proxy-(?:body-size|(?:connect|read|send)-timeout|next-upstream.*|cookie-.*|redirect-from|request-buffering|buffering)|ssl-redirect|force-ssl-redirect|custom-http-errors|limit-rate.*|load-balance|service-upstream)$/,
    "differently",
    "it is not read",
    "say the annotation of the same name on the Ingresses that need it",
  ],
  [
    /^(?:add-headers|hsts.*|hide-headers|global-allowed-response-headers)$/,
    "differently",
    "it is not read",
    "say custom-headers on the Ingresses that need it",
  ],
  [
    /^proxy-set-headers$/,
    "differently",
    "it is not read, and no header is added for backends",
    "let the backend do without",
  ],
  [
    /^(?:http-redirect-code|limit-(?:req|conn)-status-code)$/,
    "differently",
    "it is not read: redirects are 308, and bounds 503",
    "let clients do with these",
  ],
  [
    /^(?:ssl-protocols|ssl-ciphers|ssl-ecdh-curve|ssl-dh-param)$/,
    "differently",
    "it is not read",
    "TLS 1.2 and 1.3 are taken, with the ciphers that are held sound",
  ],
  [
    /^(?:use-gzip|gzip-.*|enable-brotli|brotli-.*)$/,
    "differently",
    "responses are passed on as they are",
    "let the backend compress them",
  ],
];

const MARKS =
  /^(?:use-forwarded-headers|use-proxy-protocol|allow-snippet-annotations|annotations-risk-level|proxy-body-size|proxy-read-timeout|server-tokens|hsts|worker-processes|log-format-upstream|ssl-protocols|use-gzip|enable-modsecurity|whitelist-source-range|compute-full-forwarded-for)$/;

/** Whether it is what ingress-nginx itself is configured by: so labelled, or with keys that are nobody else's. */
export function isControllerConfig({ metadata, data }: ConfigMap): boolean {
  const { labels = {}, name = "" } = metadata;
  if (labels["app.kubernetes.io/name"] === "ingress-nginx" && !/headers|tcp|udp/.test(name)) return true;
  return Object.keys(data ?? {}).some((key) => MARKS.test(key));
}

export function configMapFindings({ data = {} }: ConfigMap, document: Document): Finding[] {
  return Object.entries(data).map(([key, value]): Finding => {
    const field = `data[${key}]`;
    const at = { field, line: document.lineOf(field), value: shortened(value) };
    const found = KEYS.find(([pattern]) => pattern.test(key));
    if (found === undefined) {
      return { ...at, outcome: "same", why: "it is not read, and tunes nginx itself" };
    }
    const [, outcome, why, instead] = found;
    // Switched off is as not said.
    if (outcome === "not" && /^(?:false|)$/.test(value.trim())) return { ...at, outcome: "same" };
    return { ...at, outcome, why, instead };
  });
}
