import { connect } from "node:net";
import type { TCPSocketAction } from "../../api/generated/types.ts";
import { portOf, type ProbeTarget } from "./target.ts";

/** Resolves when a connection can be made. */
export const tcpSocket = (action: TCPSocketAction, target: ProbeTarget, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const socket = connect({
      host: action.host || target.podIP,
      port: portOf(target.container, action.port),
      signal,
    });
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.destroy();
      resolve();
    });
  });
