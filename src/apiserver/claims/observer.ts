/** Whether an address or port was asked for by name, or any would do. */
export type ClaimScope = "static" | "dynamic";

/** Hears of every address and port that is taken or cannot be had (SVC-279). Dry runs are not told. */
export interface ClaimsObserver {
  /** `cidr`: the range it is of; `seconds`: how long the search took. */
  addressTaken(cidr: string, scope: ClaimScope, seconds: number): void;
  addressRefused(cidr: string, scope: ClaimScope): void;
  portTaken(scope: ClaimScope): void;
  portRefused(scope: ClaimScope): void;
}

const quiet = (): void => {};

/** For whoever does not count. */
export const silentObserver: ClaimsObserver = {
  addressTaken: quiet,
  addressRefused: quiet,
  portTaken: quiet,
  portRefused: quiet,
};
