import { connect, createServer, type Server } from "node:net";

/** Hands connections to one address on to a Unix socket, byte for byte: the API server's TLS passes untouched. */
export function forwardTo(
  listen: { readonly host: string; readonly port: number },
  socketPath: string,
): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, (incoming) => {
    const outgoing = connect({ path: socketPath, allowHalfOpen: true });
    incoming.pipe(outgoing);
    outgoing.pipe(incoming);
    // One side's death is the other's: nobody is left to tell.
    incoming.on("error", () => outgoing.destroy());
    outgoing.on("error", () => incoming.destroy());
  });
  return new Promise((resolve, reject) => {
    server.once("error", (cause) =>
      reject(
        new Error(`listening on ${listen.host}:${listen.port} for the API, so that pods reach it: ${cause.message}`, {
          cause,
        }),
      ),
    );
    server.listen({ ...listen, exclusive: true }, () => resolve(server));
  });
}
