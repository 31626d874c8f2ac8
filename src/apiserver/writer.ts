import { isDryRun } from "./http/decode-object.ts";
import type { Exchange } from "./http/exchange.ts";
import type { Identity } from "./identity/identity.ts";

/** Who writes, and how the write is to be done. */
export interface Writer {
  readonly identity: Identity;
  readonly dryRun: boolean;
  warn(sentence: string): void;
}

/** The writer that a request speaks for. @throws ApiError Invalid for a word of `dryRun` that means nothing */
export const writerOf = (exchange: Pick<Exchange, "identity" | "query" | "warnings" | "method">): Writer => ({
  identity: exchange.identity,
  dryRun: isDryRun(exchange.query.getAll("dryRun"), exchange.method),
  warn: (sentence) => void exchange.warnings.add(sentence),
});
