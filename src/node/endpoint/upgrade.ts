import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { ApiError } from "../../api/status.ts";
import type { Log } from "../../observe/log.ts";

/** A request to make something else of its connection, which nothing has been answered to yet. */
export interface UpgradeRequest {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  /** What the client sent already beyond its request. */
  readonly head: Buffer;
  readonly log: Log;
}

/** What the client asks to speak. Throws ApiError BadRequest for what is not spoken here. */
export function upgradeOf({ headers }: IncomingMessage): "websocket" | "spdy/3.1" {
  const upgrade = headers.upgrade?.toLowerCase();
  if (upgrade === "websocket" || upgrade === "spdy/3.1") return upgrade;
  throw new ApiError(
    "BadRequest",
    `Upgrade: ${JSON.stringify(headers.upgrade ?? "")} is not spoken here; it must be websocket or SPDY/3.1`,
  );
}
