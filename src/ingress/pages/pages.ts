import { close, listen, listenAddress, pathOf, send } from "../../observe/http.ts";

/** What is told about the door. */
export interface TellsOfDoor {
  /** Serves by a plan. */
  readonly isReady: () => boolean;
  /** Was told to end: whoever balances to it should look elsewhere. */
  readonly isEnding: () => boolean;
  readonly metrics: () => Promise<string>;
}

const PLAIN = "text/plain; charset=utf-8";
const METRICS = "text/plain; version=0.0.4; charset=utf-8";

/**
 * `/healthz` (it lives, and is not ending), `/readyz` (it serves), `/metrics`, at `ADDRESS:PORT`. Rejects with a sentence when the address cannot be had.
 */
export async function openDoorPages(address: string, tells: TellsOfDoor): Promise<{ close(): Promise<void> }> {
  const server = await listen(listenAddress(address), (request, response) => {
    switch (pathOf(request)) {
      case "/healthz":
        if (tells.isEnding()) send(response, 503, PLAIN, "ending\n");
        else send(response, 200, PLAIN, "ok\n");
        return;
      case "/readyz":
        if (tells.isReady() && !tells.isEnding()) send(response, 200, PLAIN, "ok\n");
        else send(response, 503, PLAIN, tells.isEnding() ? "ending\n" : "there is no plan to serve by yet\n");
        return;
      case "/metrics":
        void tells.metrics().then(
          (text) => send(response, 200, METRICS, text),
          (error: Error) => send(response, 500, PLAIN, `${error.message}\n`),
        );
        return;
      default:
        send(response, 404, PLAIN, "404 page not found\n");
    }
  });
  return { close: () => close(server) };
}
