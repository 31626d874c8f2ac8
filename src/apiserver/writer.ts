import { isDryRun } from "./http/decode-object.ts";
import type { Exchange } from "./http/exchange.ts";
import type { Identity } from "./identity/identity.ts";

/** Who writes, and how the write is to be done. */
export interface Writer {
  readonly identity: Identity;
  readonly dryRun: boolean;
  warn(sentence: string): void;
}

/** The writer that a request speaks for. @throws ApiError BadRequest for a word of `dryRun` that means nothing */
export const writerOf = (exchange: Pick<Exchange, "identity" | "query" | "warnings">): Writer => ({
  identity: exchange.identity,
  dryRun: isDryRun(exchange.query.getAll("dryRun")),
  warn: (sentence) => void exchange.warnings.add(sentence),
});
