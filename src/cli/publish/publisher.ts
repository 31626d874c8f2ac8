import { connect, createServer, type Server } from "node:net";
import type { Service } from "../../api/generated/types.ts";
import { keyOf } from "../../api/object.ts";
import { services } from "../../api/resources.ts";
import { createCache } from "../../client/cache.ts";
import type { Client } from "../../client/client.ts";
import type { Clock } from "../../observe/clock.ts";
import type { Log } from "../../observe/log.ts";
import type { Part } from "../../observe/part.ts";
import { requestFor, type Destination } from "./destination.ts";
import { join } from "./dialer.ts";

/**
 * Port on this host → where it leads: the TCP node ports of a Service, and its own ports when it has a load balancer's address.
 * Datagrams are not published.
 */
function publishedPorts(service: Service): [number, Destination][] {
  const ip = service.spec?.type === "LoadBalancer" ? service.status?.loadBalancer?.ingress?.[0]?.ip : undefined;
  return (service.spec?.ports ?? [])
    .filter((port) => (port.protocol ?? "TCP") === "TCP")
    .flatMap(({ port, nodePort = 0 }): [number, Destination][] => [
      ...(nodePort > 0 ? [[nodePort, { port: nodePort }] as [number, Destination]] : []),
      ...(ip === undefined ? [] : [[port, { ip, port }] as [number, Destination]]),
    ]);
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
  const open = new Map<number, { readonly request: string; readonly server: Server }>();
  const cache = createCache<Service>({ client, resource: services, clock, random, log });
  const listen = (port: number, request: string): void => {
    const server = createServer({ allowHalfOpen: true }, (incoming) => {
      const outgoing = connect({ path: dialer, allowHalfOpen: true });
      outgoing.write(`${request}\n`);
      join(incoming, outgoing);
    });
    open.set(port, { request, server });
    server.once("error", (error) => {
      log.warn({ port, error: error.message }, "a port cannot be published on 127.0.0.1");
      open.delete(port);
    });
    server.listen({ host: "127.0.0.1", port, exclusive: true });
  };
  const align = (): void => {
    const byName = [...cache.values()].sort((one, other) => (keyOf(one) < keyOf(other) ? 1 : -1));
    const wanted = new Map(byName.flatMap(publishedPorts).map(([port, to]) => [port, requestFor(to)]));
    for (const [port, { request, server }] of open) {
      if (wanted.get(port) === request) continue;
      open.delete(port);
      server.close();
    }
    for (const [port, request] of wanted) if (!open.has(port)) listen(port, request);
  };
  const stopListening = cache.onChange(align);
  return {
    async stop() {
      stopListening();
      cache.stop();
      for (const { server } of open.values()) server.close();
    },
  };
}
