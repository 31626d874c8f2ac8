export interface ProbeResult {
  readonly ok: boolean;
  /** What was answered, for the event of a failure. */
  readonly message: string;
}
