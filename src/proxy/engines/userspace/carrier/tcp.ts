import type { Socket } from "node:net";
import type { Entrance } from "./carried.ts";
import { dial } from "./dial.ts";
import type { Port } from "./port.ts";
import { clientOf, listFor } from "./source.ts";
import { splice } from "./splice.ts";

/** A caller's connection, paused: finds it a target and joins the two; a reset where nobody answers. */
export async function carryConnection(incoming: Socket, port: Port, entrance: Entrance): Promise<void> {
  const { remoteAddress: caller, localAddress: called, localPort } = incoming;
  incoming.on("error", () => {});
  const list = caller === undefined || called === undefined ? undefined : listFor(entrance, caller, called);
  if (list === undefined) {
    incoming.resetAndDestroy();
    return;
  }
  const client = clientOf(port.plan, caller!, called!);
  let over = (): void => {};
  const dialed = await dial({
    port: port.plan.keepsPort ? localPort : undefined,
    next: (tried) => {
      const target = port.choose(list, client, tried);
      // Counted while it is dialled, so that many at once are not all sent to the one who had fewest.
      if (target !== undefined) over = port.begin({ target, end: () => incoming.resetAndDestroy() });
      return target;
    },
    failed: () => {
      over();
      port.forget(client);
    },
  });
  if (dialed === undefined) {
    incoming.resetAndDestroy();
    return;
  }
  const { socket } = dialed;
  if (incoming.destroyed) {
    over();
    socket.resetAndDestroy();
    return;
  }
  splice(incoming, socket, over);
}
