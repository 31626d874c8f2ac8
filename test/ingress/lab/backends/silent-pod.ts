import { once } from "node:events";
import { createServer } from "node:net";
import type { PodSpecification } from "../behaviour.ts";
import { connectionsOf, type RunningPod } from "./running-pod.ts";

/** A pod that accepts connections and says nothing. */
export async function openSilentPod(pod: PodSpecification): Promise<RunningPod> {
  const server = createServer((socket) => socket.resume());
  const connections = connectionsOf(server);
  server.listen(pod.port, pod.address);
  await once(server, "listening");
  const kill = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of connections.open) socket.resetAndDestroy();
    await closed;
  };
  return { connections: () => connections.open.size, end: kill, kill };
}
