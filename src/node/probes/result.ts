export interface ProbeResult {
  readonly ok: boolean;
  /** What was answered, for the event of a failure or a warning. */
  readonly message: string;
  /** It counts as passed, but is not what was meant: an event says so. */
  readonly warning?: boolean;
}
