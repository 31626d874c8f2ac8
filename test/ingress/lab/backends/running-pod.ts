import type { Socket } from "node:net";
import type { Seen } from "../behaviour.ts";

/** A pod that is open. */
export interface RunningPod {
  end(): Promise<void>;
  kill(): Promise<void>;
  connections(): number;
}

/** What pods of one process share. */
export interface Journal {
  /** Notes a request; what is changed in the answer is changed in the journal. */
  note(seen: Omit<Seen, "number">): { -readonly [Name in keyof Seen]: Seen[Name] };
  /** Resolves when a name was released. */
  released(name: string): Promise<void>;
}

/** Connections of a server, with a number for each. */
export function connectionsOf(server: { on(event: "connection", listener: (socket: Socket) => void): unknown }): {
  readonly open: ReadonlySet<Socket>;
  numberOf(socket: object): number;
} {
  const open = new Set<Socket>();
  const numbers = new WeakMap<object, number>();
  let count = 0;
  server.on("connection", (socket) => {
    count += 1;
    numbers.set(socket, count);
    open.add(socket);
    socket.on("close", () => open.delete(socket));
    socket.on("error", () => socket.destroy());
  });
  return { open, numberOf: (socket) => numbers.get(socket) ?? 0 };
}
