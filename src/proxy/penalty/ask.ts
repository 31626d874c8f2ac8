import { connectIn } from "../../host/namespace-socket.ts";
import type { Clock } from "../../observe/clock.ts";

/** Milliseconds an endpoint has to take a connection. */
const PATIENCE = 250;

/** Whether an endpoint takes a connection that begins in this network namespace; undefined is our own. Says nothing on it. */
export function takesConnection(
  network: string | undefined,
  { ip, port }: { readonly ip: string; readonly port: number },
  clock: Clock,
): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectIn(network, ip, port);
    const end = (took: boolean): void => {
      cancel();
      resolve(took);
      socket.destroy();
    };
    const cancel = clock.after(PATIENCE, () => end(false));
    socket.on("error", () => end(false));
    socket.once("connect", () => end(true));
  });
}
