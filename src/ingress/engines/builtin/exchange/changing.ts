import { STATUS_CODES, type OutgoingHttpHeaders, type ServerResponse } from "node:http";
import type { ServerHttp2Stream } from "node:http2";
import type { Duplex } from "node:stream";

/** A connection of a client that is to become something else, as soon as the endpoint says so. */
export interface Changing {
  /** What it is to become: `websocket`. */
  readonly protocol: string;
  /** Says yes to the client; from here on the connection is the tunnel's. */
  accept(status: number, headers: OutgoingHttpHeaders): Duplex;
}

/** Upgrade of HTTP/1.1 (RFC 9110 §7.8): the socket itself. `first`: what the client has sent behind its request. */
export function changingSocket(protocol: string, socket: Duplex, response: ServerResponse, first: Buffer): Changing {
  return {
    protocol,
    accept(status, headers) {
      response.detachSocket(socket as Parameters<ServerResponse["detachSocket"]>[0]);
      let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\nconnection: Upgrade\r\nupgrade: ${protocol}\r\n`;
      for (const name in headers) {
        const value = headers[name];
        for (const one of Array.isArray(value) ? value : [value]) head += `${name}: ${one}\r\n`;
      }
      socket.write(`${head}\r\n`, "latin1");
      if (first.length > 0) socket.unshift(first);
      return socket;
    },
  };
}

/** Extended CONNECT of HTTP/2 (RFC 8441): a stream. The handshake's key is of HTTP/1.1 alone. */
export function changingStream(protocol: string, stream: ServerHttp2Stream): Changing {
  return {
    protocol,
    accept(_, headers) {
      delete headers["sec-websocket-accept"];
      headers[":status"] = 200;
      stream.respond(headers);
      return stream;
    },
  };
}
