/** How a command ended, as clients of exec read it on the error channel. */
export interface ExitStatus {
  readonly metadata: Record<string, never>;
  readonly status: "Success" | "Failure";
  readonly message?: string;
  readonly reason?: string;
  readonly details?: { readonly causes: readonly { readonly reason: string; readonly message: string }[] };
}

export const SUCCESS: ExitStatus = { metadata: {}, status: "Success" };

/** The status of an exit code: clients take the code itself from the cause `ExitCode`. */
export function exitStatus(code: number): ExitStatus {
  if (code === 0) return SUCCESS;
  return {
    metadata: {},
    status: "Failure",
    message: `command terminated with non-zero exit code: exit status ${code}`,
    reason: "NonZeroExitCode",
    details: { causes: [{ reason: "ExitCode", message: String(code) }] },
  };
}

/** The status of a command whose end is not known. */
export const failureStatus = (message: string): ExitStatus => ({
  metadata: {},
  status: "Failure",
  message,
  reason: "InternalError",
});
