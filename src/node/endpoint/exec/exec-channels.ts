import type { Readable, Writable } from "node:stream";
import type { ExitStatus } from "./exit-status.ts";

/** Which streams of a program the client wants. */
export interface WantedStreams {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** A terminal: its size comes with the streams, and all that it shows on `stdout`. */
  readonly tty: boolean;
}

/** A client's connection, whatever its protocol, once its streams are there. Only the streams that were asked for are. */
export interface ExecChannels {
  readonly stdin: Readable | undefined;
  readonly stdout: Writable | undefined;
  readonly stderr: Writable | undefined;
  /** Calls back with every size of the client's terminal, in characters; with the last one that came before too. */
  readonly onResize: (callback: (columns: number, rows: number) => void) => void;
  /** Aborted when the client has gone before it was told the end. */
  readonly gone: AbortSignal;
  /** Tells how the program ended, and ends the connection as the protocol wants it. */
  finish(status: ExitStatus): Promise<void>;
}
