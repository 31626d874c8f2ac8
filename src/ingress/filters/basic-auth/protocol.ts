/** What the thread that checks passwords is asked. */
export interface PasswordQuestion {
  readonly id: number;
  readonly password: Uint8Array;
  readonly hash: string;
}

/** What it answers; `fault`: it could not be checked. */
export type PasswordAnswer =
  | { readonly id: number; readonly isRight: boolean }
  | { readonly id: number; readonly fault: string };
