import { createSocket, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";

/**
 * Sends every datagram back. A socket of its own for each address, since the answer must come from the address that was asked.
 * Throws when the address and port cannot be had.
 */
export function echoDatagrams(address: string, port: number, came: () => void): Promise<Socket> {
  const socket = isIPv6(address) ? createSocket({ type: "udp6", ipv6Only: true }) : createSocket({ type: "udp4" });
  socket.on("message", (message, { address: client, port: from }) => {
    came();
    // Who is gone does not miss it.
    socket.send(message, from, client, () => {});
  });
  return new Promise((resolve, reject) => {
    socket.once("error", (cause) => {
      socket.close();
      reject(new Error(`answering at ${address}, UDP port ${port}: ${cause.message}`, { cause }));
    });
    socket.bind({ address, port, exclusive: true }, () => {
      socket.removeAllListeners("error");
      socket.on("error", () => {});
      resolve(socket);
    });
  });
}
