import { createHash } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { ApiError } from "../../../api/status.ts";

/** The GUID of RFC 6455, 1.3. */
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/** Best first: v5 is v4 and a way to close stdin. */
export const CHANNELS = ["v5.channel.k8s.io", "v4.channel.k8s.io"] as const;
/** SPDY, byte for byte, within the connection's messages: how ports are forwarded. */
export const TUNNEL = ["SPDY/3.1+portforward.k8s.io"] as const;

export const acceptKey = (key: string): string =>
  createHash("sha1")
    .update(key + GUID)
    .digest("base64");

/** What the client and we speak, and the answer that says so. Throws ApiError BadRequest. */
export function webSocketHandshake<Name extends string>(
  headers: IncomingHttpHeaders,
  spoken: readonly Name[],
): { subprotocol: Name; answer: string } {
  const key = headers["sec-websocket-key"];
  if (key === undefined || Buffer.from(key, "base64").length !== 16) {
    throw new ApiError("BadRequest", "the header Sec-WebSocket-Key must be 16 bytes in base64");
  }
  if (headers["sec-websocket-version"] !== "13") {
    throw new ApiError("BadRequest", "the header Sec-WebSocket-Version must be 13");
  }
  const offered = (headers["sec-websocket-protocol"] ?? "").split(",").map((name) => name.trim());
  const subprotocol = spoken.find((name) => offered.includes(name));
  if (subprotocol === undefined) {
    throw new ApiError(
      "BadRequest",
      `the header Sec-WebSocket-Protocol offers ${JSON.stringify(offered)}; it must offer one of ${spoken.join(", ")}`,
    );
  }
  const lines = [
    "HTTP/1.1 101 Switching Protocols",
    "Upgrade: websocket",
    "Connection: Upgrade",
    `Sec-WebSocket-Accept: ${acceptKey(key)}`,
    `Sec-WebSocket-Protocol: ${subprotocol}`,
  ];
  return { subprotocol, answer: `${lines.join("\r\n")}\r\n\r\n` };
}
