import { status } from "@grpc/grpc-js";
import type { ServiceError } from "@grpc/grpc-js";

/** etcd understood the request and said no: nothing was done. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly code: status;
  constructor(code: status, words: string) {
    super(words);
    this.code = code;
  }

  /** The reader asked for a revision that is forgotten. */
  get isCompacted(): boolean {
    return this.code === status.OUT_OF_RANGE && this.message.includes("compacted");
  }

  /** The reader asked for a revision that no write has reached. */
  get isFuture(): boolean {
    return this.code === status.OUT_OF_RANGE && this.message.includes("future");
  }

  /** More than etcd takes in one request: bytes (`--max-request-bytes`) or operations (`--max-txn-ops`). */
  get isTooLarge(): boolean {
    return /request is too large|too many operations|larger than max/.test(this.message);
  }

  /** The token of a user has ended, or is older than a change of users: another one will do. */
  get wantsNewToken(): boolean {
    return this.code === status.UNAUTHENTICATED || this.message.includes("revision of auth store is old");
  }
}

/** The request was sent, and no answer came: it may have been done, or be done yet. */
export class Lost extends Error {
  override readonly name = "Lost";
}

/** Codes by which etcd says that it did nothing. All others also come from what lies between. */
const REFUSALS: ReadonlySet<status> = new Set([
  status.INVALID_ARGUMENT,
  status.NOT_FOUND,
  status.ALREADY_EXISTS,
  status.PERMISSION_DENIED,
  status.RESOURCE_EXHAUSTED,
  status.FAILED_PRECONDITION,
  status.OUT_OF_RANGE,
  status.UNIMPLEMENTED,
  status.UNAUTHENTICATED,
]);

/** What a failed call means. The words tell etcd's own refusals from those that the library makes with the same codes. */
export function failureOf(error: ServiceError): Refusal | Lost {
  const { code, details } = error;
  const isEtcds = /^(etcdserver|auth): /.test(details) || details.startsWith("grpc: received message larger than max");
  if (isEtcds && REFUSALS.has(code)) return new Refusal(code, details.replace(/^etcdserver: /, ""));
  return new Lost(reasonOf(error));
}

/** What is said where nothing is known but that time is over. */
export const NO_ANSWER = "no answer in time";

/** The library's words without what it repeats of itself. */
export const reasonOf = ({ code, details }: Pick<ServiceError, "code" | "details">): string => {
  if (code === status.DEADLINE_EXCEEDED) return NO_ANSWER;
  const last = /Last error: (?:Error: )?([^.]*(?:\.\d[^.]*)*)/.exec(details)?.[1];
  return (last ?? details).replace(/^etcdserver: /, "").trim();
};
