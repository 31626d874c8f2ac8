import type { Exchange } from "../access-log.ts";

/** One request as one line of JSON, names as ingress-nginx's JSON formats commonly have them. Pure. */
export const lineOf = (exchange: Exchange): string =>
  `${JSON.stringify({
    time: new Date(exchange.at).toISOString(),
    remote_addr: exchange.client,
    method: exchange.method,
    host: exchange.host,
    uri: exchange.target,
    protocol: exchange.protocol,
    tls: exchange.tls,
    status: exchange.status,
    request_time: rounded(exchange.duration),
    request_length: exchange.received,
    bytes_sent: exchange.sent,
    ...(exchange.referer === undefined ? {} : { http_referer: exchange.referer }),
    ...(exchange.userAgent === undefined ? {} : { http_user_agent: exchange.userAgent }),
    req_id: exchange.requestId,
    ...(exchange.route === undefined
      ? {}
      : {
          namespace: exchange.route.ingress.namespace,
          ingress: exchange.route.ingress.name,
          path: exchange.route.path,
        }),
    ...(exchange.backend === undefined
      ? {}
      : {
          upstream: exchange.backend.id,
          upstream_addr: exchange.backend.endpoint,
          upstream_time: rounded(exchange.backend.latency),
          upstream_tries: exchange.backend.tries,
        }),
  })}\n`;

const rounded = (seconds: number): number => Math.round(seconds * 1e6) / 1e6;
