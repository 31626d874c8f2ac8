import { connect, createServer } from "node:net";
import type { Service } from "../../api/generated/types.ts";
import { keyOf } from "../../api/object.ts";
import { services } from "../../api/resources.ts";
import { createCache } from "../../client/cache.ts";
import type { Client } from "../../client/client.ts";
import type { Clock } from "../../observe/clock.ts";
import type { Log } from "../../observe/log.ts";
import type { Part } from "../../observe/part.ts";
import { publishDatagrams } from "./datagrams.ts";
import { requestFor, type Destination } from "./destination.ts";
import { join } from "./dialer.ts";

/**
 * `TCP 30080` and the like on this host → where it leads: the node ports of a Service, and its own ports when it has a load balancer's
 * address.
 */
function publishedPorts(service: Service): [string, Destination][] {
  const ip = service.spec?.type === "LoadBalancer" ? service.status?.loadBalancer?.ingress?.[0]?.ip : undefined;
  return (service.spec?.ports ?? []).flatMap(({ port, nodePort = 0, protocol = "TCP" }): [string, Destination][] =>
    protocol !== "TCP" && protocol !== "UDP"
      ? []
      : [
          ...(nodePort > 0
            ? [[`${protocol} ${nodePort}`, { protocol, port: nodePort }] satisfies [string, Destination]]
            : []),
          ...(ip === undefined
            ? []
            : [[`${protocol} ${port}`, { protocol, ip, port }] satisfies [string, Destination]]),
        ],
  );
}

export interface PublisherOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** The dialer's socket. */
  readonly dialer: string;
}

/**
 * Makes the node ports and load balancers of a private site answer on this host's 127.0.0.1, as they come and go. Of two load balancers
 * with one port the first by name is there. A port another program has is said in the log and tried again with the next change.
 */
export function startPublisher({ client, clock, random, log, dialer }: PublisherOptions): Part {
  const open = new Map<string, { readonly request: string; close(): unknown }>();
  const cache = createCache<Service>({ client, resource: services, clock, random, log });
  const listen = (key: string, request: string): void => {
    const [protocol = "", number = ""] = key.split(" ");
    const port = Number(number);
    const failed = (error: Error): void => {
      log.warn({ protocol, port, error: error.message }, "a port cannot be published on 127.0.0.1");
      if (open.get(key)?.request === request) open.delete(key);
    };
    if (protocol === "UDP") {
      const datagrams = publishDatagrams({ port, dialer, request, clock, failed });
      open.set(key, { request, close: () => datagrams.close() });
      return;
    }
    const server = createServer({ allowHalfOpen: true }, (incoming) => {
      const outgoing = connect({ path: dialer, allowHalfOpen: true });
      outgoing.write(`${request}\n`);
      join(incoming, outgoing);
    });
    open.set(key, { request, close: () => server.close() });
    server.once("error", failed);
    server.listen({ host: "127.0.0.1", port, exclusive: true });
  };
  const align = (): void => {
    const byName = [...cache.values()].sort((one, other) => (keyOf(one) < keyOf(other) ? 1 : -1));
    const wanted = new Map(byName.flatMap(publishedPorts).map(([key, to]) => [key, requestFor(to)]));
    for (const [key, published] of open) {
      if (wanted.get(key) === published.request) continue;
      open.delete(key);
      published.close();
    }
    for (const [key, request] of wanted) if (!open.has(key)) listen(key, request);
  };
  const stopListening = cache.onChange(align);
  return {
    async stop() {
      stopListening();
      cache.stop();
      for (const published of open.values()) published.close();
    },
  };
}
