/** Why a request is not passed on, and what is answered instead. */
export interface HeadFault {
  readonly status: 400 | 405 | 408 | 417 | 431 | 501 | 505;
  /** For the log. */
  readonly why: string;
}

export const fault = (status: HeadFault["status"], why: string): HeadFault => ({ status, why });

/** Printable ASCII without space (RFC 9112 §3.2 and RFC 3986), and without `#`, which is never part of a target. */
export const TARGET = /^[!"$-~]+$/;
