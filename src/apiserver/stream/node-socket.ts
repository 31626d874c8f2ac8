import { X509Certificate } from "node:crypto";
import type { Duplex } from "node:stream";
import { connect, type TLSSocket } from "node:tls";
import { ApiError } from "../../api/status.ts";

/** PEM texts: the authority that signed the node's certificate, and the API server's own client certificate. */
export interface NodeTls {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export interface NodeStreamsOptions {
  readonly tls: NodeTls;
  /** A connected plain socket to the endpoint of the node of this name. Rejects when the node cannot be reached. */
  readonly dial: (nodeName: string) => Promise<Duplex>;
}

const unreachable = (nodeName: string, cause: unknown): ApiError =>
  new ApiError(
    "ServiceUnavailable",
    `connecting to the endpoint of node ${nodeName}: ${cause instanceof Error ? cause.message : String(cause)}; the node must be up`,
    undefined,
    { cause },
  );

/** The node's certificate must carry the node's name, whatever that looks like: `10.0.0.1` is a good name of a Node. */
const namesNode = (nodeName: string, certificate: Buffer): Error | undefined =>
  new X509Certificate(certificate).checkHost(nodeName, { subject: "never" }) === undefined
    ? new Error(`its certificate does not carry the DNS name ${nodeName}`)
    : undefined;

/** TLS to a node's endpoint, both sides known by certificate. Throws ApiError ServiceUnavailable. */
export async function nodeSocket({ tls, dial }: NodeStreamsOptions, nodeName: string): Promise<TLSSocket> {
  let plain: Duplex;
  try {
    plain = await dial(nodeName);
  } catch (error) {
    throw unreachable(nodeName, error);
  }
  return new Promise((resolve, reject) => {
    const socket = connect({
      ...tls,
      socket: plain,
      minVersion: "TLSv1.2",
      ALPNProtocols: ["http/1.1"],
      checkServerIdentity: (_, { raw }) => namesNode(nodeName, raw),
    });
    const failed = (error: Error): void => {
      plain.destroy();
      socket.destroy();
      reject(unreachable(nodeName, error));
    };
    const closed = (): void => failed(new Error("it closed the connection in the TLS handshake"));
    socket.once("error", failed);
    socket.once("close", closed);
    socket.once("secureConnect", () => {
      socket.off("error", failed);
      socket.off("close", closed);
      resolve(socket);
    });
  });
}
