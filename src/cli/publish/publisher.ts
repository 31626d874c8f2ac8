import { connect, createServer, type Server } from "node:net";
import type { Service } from "../../api/generated/types.ts";
import { services } from "../../api/resources.ts";
import { createCache } from "../../client/cache.ts";
import type { Client } from "../../client/client.ts";
import type { Clock } from "../../observe/clock.ts";
import type { Log } from "../../observe/log.ts";
import type { Part } from "../../observe/part.ts";
import { join } from "./dialer.ts";

/** The TCP node ports of a Service. Datagrams are not published. */
const publishedPorts = (service: Service): number[] =>
  (service.spec?.ports ?? [])
    .filter((port) => (port.protocol ?? "TCP") === "TCP" && (port.nodePort ?? 0) > 0)
    .map((port) => port.nodePort!);

export interface PublisherOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** The dialer's socket. */
  readonly dialer: string;
}

/** Makes the node ports of a private site answer on this host's 127.0.0.1, as they come and go. A port another program has is said in the log and tried again with the next change. */
export function startPublisher({ client, clock, random, log, dialer }: PublisherOptions): Part {
  const open = new Map<number, Server>();
  const cache = createCache<Service>({ client, resource: services, clock, random, log });
  const listen = (port: number): void => {
    const server = createServer({ allowHalfOpen: true }, (incoming) => {
      const outgoing = connect({ path: dialer, allowHalfOpen: true });
      outgoing.write(`${port}\n`);
      join(incoming, outgoing);
    });
    open.set(port, server);
    server.once("error", (error) => {
      log.warn({ port, error: error.message }, "a node port cannot be published on 127.0.0.1");
      open.delete(port);
    });
    server.listen({ host: "127.0.0.1", port, exclusive: true });
  };
  const align = (): void => {
    const wanted = new Set([...cache.values()].flatMap(publishedPorts));
    for (const [port, server] of open) {
      if (wanted.has(port)) continue;
      open.delete(port);
      server.close();
    }
    for (const port of wanted) if (!open.has(port)) listen(port);
  };
  const stopListening = cache.onChange(align);
  return {
    async stop() {
      stopListening();
      cache.stop();
      for (const server of open.values()) server.close();
    },
  };
}
