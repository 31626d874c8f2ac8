import type { Duplex } from "node:stream";
import { ApiError } from "../../api/status.ts";
import type { PodSource } from "../pods/pod-source.ts";
import type { Target } from "./target.ts";

const ANSWER = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n";

/**
 * `/dial/NAMESPACE/POD/ADDRESS/PORT` with `Upgrade: tcp`: from then on the connection is one to that port of the pod. Throws, with nothing said
 * on the connection, when the address is not the pod's or nothing answers there.
 */
export async function serveDial(source: PodSource, { at, names }: Target, socket: Duplex, head: Buffer): Promise<void> {
  const [, , ip = "", portText = ""] = names;
  const port = Number(portText);
  if (!/^\d{1,5}$/.test(portText) || port < 1 || port > 65_535) {
    throw new ApiError("BadRequest", `dialling pod ${at.pod}: ${JSON.stringify(portText)} is no port from 1 to 65535`);
  }
  const pod = await source.dial(at, ip, port);
  socket.write(ANSWER);
  if (head.length > 0) pod.write(head);
  pod.on("error", () => socket.destroy());
  socket.on("error", () => pod.destroy());
  socket.once("close", () => pod.destroy());
  pod.once("close", () => socket.end());
  socket.pipe(pod);
  pod.pipe(socket);
}
