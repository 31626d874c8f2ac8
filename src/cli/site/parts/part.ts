import { randomBytes } from "node:crypto";
import type { Client } from "../../../client/client.ts";
import type { Host } from "../../../host/host.ts";
import type { Log } from "../../../observe/log.ts";
import type { WorkerConfig } from "../protocol.ts";

/** A part of the site that runs. */
export interface RunningPart {
  readonly ready: Promise<void>;
  /** Hears that all parts of the site are ready; not when the part was started again later. */
  siteReady?(): void;
  /** Ends it; what it made stays. */
  stop(): Promise<void>;
  /** Ends it and takes away what it made. */
  remove(): Promise<void>;
}

/** What a part of the site stands on. */
export interface Ground {
  readonly host: Host;
  readonly client: Client;
  readonly log: Log;
  readonly given: WorkerConfig;
}

/** Bytes that were drawn together, as a call for each number costs several times what the number does. */
let drawn = { bytes: Buffer.alloc(0), at: 0 };

/** From 0 up to, but not including, 1, and hard to guess: query ids are made of it. */
export function random(): number {
  if (drawn.at + 6 > drawn.bytes.length) drawn = { bytes: randomBytes(6 * 512), at: 0 };
  drawn.at += 6;
  return drawn.bytes.readUIntBE(drawn.at - 6, 6) / 2 ** 48;
}
