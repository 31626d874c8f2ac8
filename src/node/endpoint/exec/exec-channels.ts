import type { Readable, Writable } from "node:stream";
import type { ExitStatus } from "./exit-status.ts";

/** Which streams of the command the client wants. */
export interface WantedStreams {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
}

/** A client's connection, whatever its protocol, once its streams are there. Only the streams that were asked for are. */
export interface ExecChannels {
  readonly stdin: Readable | undefined;
  readonly stdout: Writable | undefined;
  readonly stderr: Writable | undefined;
  /** Aborted when the client has gone before it was told the end. */
  readonly gone: AbortSignal;
  /** Tells how the command ended, and ends the connection as the protocol wants it. */
  finish(status: ExitStatus): Promise<void>;
}
