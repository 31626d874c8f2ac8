import type { Exchange } from "./http/exchange.ts";
import { writeOptions, type WriteOptionsKind } from "./http/write-options.ts";
import type { Identity } from "./identity/identity.ts";

/** Who writes, and how the write is to be done. */
export interface Writer {
  readonly identity: Identity;
  readonly dryRun: boolean;
  /** Who owns what is written; undefined leaves `metadata.managedFields` as they are. */
  readonly fieldManager?: string | undefined;
  warn(sentence: string): void;
}

/** Who deletes: how it is to be done is said by options of its own. */
export const deleterOf = ({
  identity,
  warnings,
}: Pick<Exchange, "identity" | "warnings">): Pick<Writer, "identity" | "warn"> => ({
  identity,
  warn: (sentence) => void warnings.add(sentence),
});

/** The writer that a request speaks for. @throws ApiError Invalid for options that mean nothing */
export const writerOf = (
  exchange: Pick<Exchange, "identity" | "query" | "request" | "warnings">,
  options: WriteOptionsKind = "UpdateOptions",
): Writer => {
  const { dryRun, fieldManager } = writeOptions(exchange, options);
  return {
    identity: exchange.identity,
    dryRun,
    fieldManager,
    warn: (sentence) => void exchange.warnings.add(sentence),
  };
};
