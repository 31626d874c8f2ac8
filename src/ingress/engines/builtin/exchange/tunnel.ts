import type { Duplex } from "node:stream";
import type { Clock } from "../../../../observe/clock.ts";
import { sever } from "./sever.ts";

/** Bytes that went through. */
export interface Carried {
  /** From the client. */
  readonly received: number;
  readonly sent: number;
}

export interface Tunnel {
  readonly carried: Carried;
  /** Ends it at once. */
  cut(): void;
}

/**
 * Joins two connections until both have ended: each is read as fast as the other takes it, and the end of one half is the end of that half.
 *
 * @param idle milliseconds of silence both ways after which it is cut; 0: any
 */
export function join(client: Duplex, endpoint: Duplex, idle: number, clock: Clock, ended: () => void): Tunnel {
  const carried = { received: 0, sent: 0 };
  let heard = clock.now();
  let open = 2;
  let cancel: (() => void) | undefined;

  const cut = (): void => {
    client.destroy();
    endpoint.destroy();
  };
  const watch = (after: number): void => {
    cancel = clock.after(after, () => {
      const left = heard + idle - clock.now();
      if (left > 0) watch(left);
      else cut();
    });
  };
  if (idle > 0) watch(idle);

  const carry = (from: Duplex, to: Duplex, count: (bytes: number) => void): void => {
    from.on("data", (chunk: Buffer) => {
      heard = clock.now();
      count(chunk.length);
      if (!to.write(chunk)) from.pause();
    });
    to.on("drain", () => {
      heard = clock.now();
      from.resume();
    });
    from.on("end", () => to.end());
    from.on("error", () => sever(to));
    from.on("close", () => {
      // A half that was cut, not ended: the other side must not take it for an end.
      if (!from.readableEnded) sever(to);
      open -= 1;
      if (open > 0) return;
      cancel?.();
      ended();
    });
    from.resume();
  };
  carry(client, endpoint, (bytes) => {
    carried.received += bytes;
  });
  carry(endpoint, client, (bytes) => {
    carried.sent += bytes;
  });
  return { carried, cut };
}
