/**
 * The program of a container cannot be run at all: there is none of that name, or it may not be executed. Thrown by a runtime's `start`;
 * any other error means that starting may go better next time.
 */
export class StartError extends Error {
  override readonly name = "StartError";
}
