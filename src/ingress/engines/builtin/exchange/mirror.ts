import type { OutgoingHttpHeaders } from "node:http";
import { Agent, type Dispatcher } from "undici";
import type { Log } from "../../../../observe/log.ts";

/** What is sent to a mirror. */
export interface Copy {
  readonly url: string;
  readonly method: string;
  readonly headers: OutgoingHttpHeaders;
  /** Undefined: without one. */
  readonly body: Buffer | undefined;
}

/** Sends copies of requests elsewhere and forgets the answers. What is too much is not sent: nobody waits for a mirror. */
export interface Mirror {
  send(copy: Copy): void;
  destroy(): void;
}

/** Copies under way. */
const MOST = 256;
/** Milliseconds until an answer begins, and between its pieces. */
const PATIENCE = 10_000;

export function createMirror(log: Log): Mirror {
  let agent: Agent | undefined;
  let underWay = 0;
  const over = (): void => {
    underWay -= 1;
  };
  // As nginx has it: a mirror is not asked who it is.
  const open = (): Agent => new Agent({ connections: 64, allowH2: false, connect: { rejectUnauthorized: false } });
  return {
    send({ url, method, headers, body }) {
      if (underWay >= MOST) {
        log.debug({ url }, "a request is not mirrored: too many are under way");
        return;
      }
      let target: URL;
      try {
        target = new URL(url);
      } catch {
        log.warn({ url }, "a request cannot be mirrored: its mirror is no URL");
        return;
      }
      const handler: Dispatcher.DispatchHandler = {
        onRequestStart() {},
        onResponseStart() {},
        onResponseData() {},
        onResponseEnd: over,
        onResponseError(_, error) {
          over();
          log.debug({ url, error: error.message }, "a mirror has not answered");
        },
      };
      underWay += 1;
      agent ??= open();
      agent.dispatch(
        {
          origin: target.origin,
          path: target.pathname + target.search,
          method,
          headers,
          body: body ?? null,
          headersTimeout: PATIENCE,
          bodyTimeout: PATIENCE,
        },
        handler,
      );
    },
    destroy() {
      void agent?.destroy();
    },
  };
}
