import type { Duplex } from "node:stream";
import type { PodSource } from "../pods/pod-source.ts";
import { forwardPorts } from "./port-forward/forward-ports.ts";
import { PORTS, spdyHandshake } from "./spdy/channels.ts";
import type { Target } from "./target.ts";
import { upgradeOf, type UpgradeRequest } from "./upgrade.ts";
import { TUNNEL, webSocketHandshake } from "./websocket/handshake.ts";
import { webSocketTunnel } from "./websocket/tunnel.ts";

/**
 * `/portForward/NAMESPACE/POD`: SPDY, or SPDY within WebSocket. Resolves when the client has gone. Throws, with nothing said on the
 * connection, what is wrong with the request or that there is no such pod.
 */
export async function servePortForward(
  source: PodSource,
  { at }: Target,
  { request, socket, head, log }: UpgradeRequest,
): Promise<void> {
  const dial = (port: number): Promise<Duplex> => source.forward(at, port);
  source.has(at);
  if (upgradeOf(request) === "spdy/3.1") {
    socket.write(spdyHandshake(request.headers, PORTS));
    return forwardPorts(socket, head, at.pod, dial, log);
  }
  socket.write(webSocketHandshake(request.headers, TUNNEL).answer);
  return forwardPorts(webSocketTunnel(socket, head), Buffer.alloc(0), at.pod, dial, log);
}
