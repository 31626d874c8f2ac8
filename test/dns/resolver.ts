import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import type { TestContext } from "node:test";
import * as packets from "dns-packet";
import { framed } from "./running.ts";

/** What a resolver sends back: packets, each framed over TCP unless it is raw. */
export type Reply = (query: packets.DecodedPacket, transport: "udp" | "tcp") => Buffer[] | Promise<Buffer[]>;

export interface Resolver {
  /** `127.0.0.1:PORT`, as an upstream is written. */
  readonly address: string;
  readonly port: number;
  /** The ports that queries came from, over UDP. */
  readonly ports: Set<number>;
  /** How many connections came over TCP. */
  connections(): number;
  /** Ends those connections that are open. */
  hangUp(): void;
  stop(): void;
}

/** Queries in what came over TCP, and the rest. */
function unframed(bytes: Buffer): [Buffer[], Buffer] {
  const found: Buffer[] = [];
  let rest = bytes;
  while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE(0)) {
    found.push(rest.subarray(2, 2 + rest.readUInt16BE(0)));
    rest = rest.subarray(2 + rest.readUInt16BE(0));
  }
  return [found, rest];
}

/** Reads queries off a connection; what `reply` answers is written as it is. */
export function serveStream(socket: Socket, reply: (query: Buffer) => Buffer[] | Promise<Buffer[]>): void {
  let pending: Buffer = Buffer.alloc(0);
  socket.on("error", () => {});
  socket.on("data", (chunk: Buffer) => {
    const [queries, rest] = unframed(Buffer.concat([pending, chunk]));
    pending = rest;
    for (const query of queries) {
      void Promise.resolve(reply(query)).then((all) => {
        for (const each of all) if (socket.writable) socket.write(each);
      });
    }
  });
}

/** A resolver on 127.0.0.1 that answers what the test says, over UDP and TCP on one port; ends with the test. */
export async function resolver(t: TestContext, reply: Reply, port = 0): Promise<Resolver> {
  const open = new Set<Socket>();
  let connections = 0;
  const tcp: Server = createServer((socket) => {
    connections += 1;
    open.add(socket);
    socket.on("close", () => open.delete(socket));
    serveStream(socket, async (query) => (await reply(packets.decode(query), "tcp")).map(framed));
  });
  tcp.listen(port, "127.0.0.1");
  await once(tcp, "listening");
  const taken = (tcp.address() as { port: number }).port;
  const udp = createSocket("udp4");
  const ports = new Set<number>();
  let isOpen = true;
  udp.on("message", (packet, from) => {
    ports.add(from.port);
    void Promise.resolve(reply(packets.decode(packet), "udp")).then((all) => {
      for (const each of all) if (isOpen) udp.send(each, from.port, from.address);
    });
  });
  udp.bind(taken, "127.0.0.1");
  try {
    await once(udp, "listening");
  } catch (error) {
    udp.close();
    tcp.close();
    // Free for TCP, it may be somebody's for UDP.
    if (port === 0) return resolver(t, reply);
    throw error;
  }
  const stop = (): void => {
    if (!isOpen) return;
    isOpen = false;
    udp.close();
    tcp.close();
    for (const socket of open) socket.destroy();
  };
  t.after(stop);
  return {
    address: `127.0.0.1:${taken}`,
    port: taken,
    ports,
    connections: () => connections,
    hangUp() {
      for (const socket of open) socket.destroy();
    },
    stop,
  };
}

export const NXDOMAIN = 3;
export const SERVFAIL = 2;

/** A response with A records. */
export function answer(
  query: packets.DecodedPacket,
  addresses: readonly string[],
  { flags = 0, id = query.id, ttl = 60 }: { flags?: number; id?: number | undefined; ttl?: number } = {},
): Buffer {
  return packets.encode({
    type: "response",
    ...(id === undefined ? {} : { id }),
    flags: packets.RECURSION_DESIRED | packets.RECURSION_AVAILABLE | flags,
    questions: query.questions ?? [],
    answers: addresses.map((data) => ({ type: "A" as const, name: query.questions![0]!.name, ttl, data })),
  });
}
export const truncated = (query: packets.DecodedPacket): Buffer =>
  answer(query, [], { flags: packets.TRUNCATED_RESPONSE });
