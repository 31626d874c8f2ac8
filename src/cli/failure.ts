/** Something the user asked for that cannot be understood: exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Something the user can mend: one sentence that names the thing and the remedy, exit code 1, no stack trace. */
export class Failure extends Error {
  override readonly name = "Failure";
}

/** The sentence for a person: ours as it is, anything else with what it was. */
export const sentenceOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
