import type { Status } from "./generated/types.ts";
import type { Fault } from "./fault.ts";

/** The reasons a Kubernetes API gives for a failure, each with its HTTP code (apimachinery `metav1.StatusReason`). */
export const STATUS_CODES = {
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  NotAcceptable: 406,
  AlreadyExists: 409,
  Conflict: 409,
  Expired: 410,
  Gone: 410,
  RequestEntityTooLarge: 413,
  UnsupportedMediaType: 415,
  Invalid: 422,
  TooManyRequests: 429,
  InternalError: 500,
  /** A failure that nobody gave a reason: the Status has none. */
  Unknown: 500,
  ServiceUnavailable: 503,
  Timeout: 504,
} as const;

export type StatusReason = keyof typeof STATUS_CODES;

/** A failure that an API client sees as a `Status` object. Low layers throw it; one place answers with it. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly reason: StatusReason;
  readonly code: number;
  readonly details: Status["details"];

  constructor(reason: StatusReason, message: string, details?: Status["details"], options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
    this.code = STATUS_CODES[reason];
    this.details = details;
  }

  toStatus(): Status {
    return {
      apiVersion: "v1",
      kind: "Status",
      metadata: {},
      status: "Failure",
      message: this.message,
      ...(this.reason === "Unknown" ? {} : { reason: this.reason }),
      ...(this.details === undefined ? {} : { details: this.details }),
      code: this.code,
    };
  }

  /** The error a client throws for a Status it was answered with; unknown reasons keep their HTTP code's meaning. */
  static fromStatus(status: Status, code: number): ApiError {
    const known = status.reason !== undefined && status.reason in STATUS_CODES;
    const reason = known
      ? (status.reason as StatusReason)
      : ((Object.keys(STATUS_CODES) as StatusReason[]).find((name) => STATUS_CODES[name] === code) ?? "InternalError");
    return new ApiError(reason, status.message ?? `the server answered ${code}`, status.details);
  }
}

/** True for an ApiError of one of these reasons. */
export const isApiError = (error: unknown, ...reasons: StatusReason[]): error is ApiError =>
  error instanceof ApiError && (reasons.length === 0 || reasons.includes(error.reason));

/** `Service "web" is invalid: spec.ports: Required value`: all faults of an object in one answer. */
export function invalidObject(group: string, kind: string, name: string, faults: readonly Fault[]): ApiError {
  const qualified = group === "" ? kind : `${kind}.${group}`;
  const said = [...new Set(faults.map((fault) => `${fault.field}: ${fault.message}`))];
  const message = said.length === 1 ? said[0]! : `[${said.join(", ")}]`;
  return new ApiError("Invalid", `${qualified} ${JSON.stringify(name)} is invalid: ${message}`, {
    ...(name === "" ? {} : { name }),
    ...(group === "" ? {} : { group }),
    ...(kind === "" ? {} : { kind }),
    causes: faults.map(({ reason, message: text, field }) => ({ reason, message: text, field })),
  });
}
