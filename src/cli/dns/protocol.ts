import type { DnsConfiguration } from "../../dns/configuration/configuration.ts";
import type { SocketAddress } from "../../dns/server/address.ts";
import type { LogLevel } from "../../observe/log.ts";
import type { InstanceGiven } from "./instance.ts";

/** What a thread of DNS is given. */
export interface ThreadGiven {
  readonly given: InstanceGiven;
  readonly worker: number;
  readonly logLevel: LogLevel;
}

/** What a thread is asked; it answers each under its number. */
export type ThreadOrder =
  | { readonly id: number; readonly ask: "configure"; readonly configuration: DnsConfiguration }
  | { readonly id: number; readonly ask: "abort" | "metrics" | "stop" };

export type ThreadReport =
  | { readonly started: readonly SocketAddress[] }
  | { readonly ready: true }
  /** It cannot run; `isFailure`: the user can mend it. */
  | { readonly failed: string; readonly isFailure: boolean }
  | { readonly id: number; readonly text: string; readonly listening: readonly SocketAddress[] }
  | { readonly id: number; readonly error: string };
