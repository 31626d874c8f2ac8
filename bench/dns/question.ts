/** One question at a time, from a socket that stays: for what dnsperf cannot tell, when an answer changes. */
import { createSocket } from "node:dgram";
import { decode, encode } from "dns-packet";

/** `lost`: nothing came in time. `cut`: too long for the packet. */
export type Kind = "address" | "none" | "failure" | "lost" | "cut";

export interface Answer {
  readonly kind: Kind;
  /** Of its A records. */
  readonly addresses: readonly string[];
}

export interface Asker {
  /** A name's addresses now; waits so many milliseconds. */
  ask(name: string, patience?: number): Promise<Answer>;
  close(): void;
}

const NOTHING: Answer = { kind: "lost", addresses: [] };

function read(packet: Buffer): Answer {
  const { answers = [], ...header } = decode(packet);
  const rcode = packet[3]! & 0x0f;
  const addresses = answers.flatMap((record) => (record.type === "A" ? [record.data] : []));
  if (header.flag_tc) return { kind: "cut", addresses };
  if (addresses.length > 0) return { kind: "address", addresses };
  return { kind: rcode === 0 || rcode === 3 ? "none" : "failure", addresses };
}

/** Asks a server at 127.0.0.1. */
export function createAsker(port: number): Asker {
  const socket = createSocket({ type: "udp4", recvBufferSize: 1 << 20 });
  const waiting = new Map<number, (answer: Answer) => void>();
  let id = 0;
  socket.on("message", (packet) => waiting.get(packet.readUInt16BE(0))?.(read(packet)));
  // Nobody listens yet: the question is lost, and asked again.
  socket.on("error", () => {});
  return {
    ask: (name, patience = 1000) =>
      new Promise((resolve) => {
        id = (id + 1) & 0xffff;
        const own = id;
        const settle = (answer: Answer): void => {
          clearTimeout(timer);
          waiting.delete(own);
          resolve(answer);
        };
        const timer = setTimeout(() => settle(NOTHING), patience);
        waiting.set(own, settle);
        const additionals = [
          {
            type: "OPT" as const,
            name: ".",
            udpPayloadSize: 4096,
            flags: 0,
            extendedRcode: 0,
            ednsVersion: 0,
            flag_do: false,
            options: [],
          },
        ];
        socket.send(
          encode({ type: "query", id: own, flags: 0x100, questions: [{ type: "A", name }], additionals }),
          port,
          "127.0.0.1",
        );
      }),
    close: () => socket.close(),
  };
}

async function lookupOnce(port: number, name: string, patience: number): Promise<Kind> {
  const asker = createAsker(port);
  try {
    return (await asker.ask(name, patience)).kind;
  } finally {
    asker.close();
  }
}

/** Whether the server at a port answers a name with addresses. */
export const answers = (port: number, name: string) => async (): Promise<boolean> =>
  (await lookupOnce(port, name, 500)) === "address";
