import type { Log } from "../../../observe/log.ts";
import type { BasicAuth } from "../../settings/settings.ts";
import type { Answer } from "../../request.ts";
import type { Admit } from "../step.ts";
import { readCredentials } from "./credentials.ts";
import { PasswordsBusy, type Passwords } from "./passwords.ts";

/** A number that is always the same for a name. */
function numberOf(text: string): number {
  let value = 0x811c_9dc5;
  for (let at = 0; at < text.length; at += 1) value = Math.imul(value ^ text.charCodeAt(at), 0x0100_0193) >>> 0;
  return value;
}

/**
 * `settings.basicAuth`: a user and a password of its list, or 401.
 *
 * @param at where it is, for the log
 */
export function basicAuth({ realm, users }: BasicAuth, at: object, passwords: Passwords, log: Log): Admit {
  const shown = realm.replace(/[^\x20-\x7e]/g, "").replace(/["\\]/g, "\\$&");
  const refusal: Answer = { status: 401, headers: { "www-authenticate": `Basic realm="${shown}", charset="UTF-8"` } };
  const hashes = [...users.values()];
  const failed = (error: unknown): Answer => {
    if (error instanceof PasswordsBusy) return { status: error.status, headers: { "retry-after": "1" } };
    log.error({ ...at, error }, "a password could not be checked: answered 503");
    return { status: 503 };
  };
  return (request) => {
    const credentials = readCredentials(request.headers.authorization);
    if (credentials === undefined) return refusal;
    const { user, password } = credentials;
    const own = users.get(user);
    // Somebody who is not known takes as long as somebody with a wrong password.
    const hash = own ?? hashes[numberOf(user) % hashes.length];
    if (hash === undefined) return refusal;
    const isRight = passwords.verify({ client: request.client, user, password, hash });
    const answer = (right: boolean): Answer | undefined => (right && own !== undefined ? undefined : refusal);
    return typeof isRight === "boolean" ? answer(isRight) : isRight.then(answer, failed);
  };
}
