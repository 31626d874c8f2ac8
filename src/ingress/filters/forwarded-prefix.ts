import type { PathMatch } from "../plan/plan.ts";
import { captured } from "./captures.ts";
import { encodedBytes, encodedText } from "./encoded.ts";
import type { Forward } from "./step.ts";

/** `settings.forwardedPrefix`: which part of the path the backend does not see. */
export function forwardedPrefix(prefix: string, match: PathMatch): Forward {
  const made = captured(encodedText(prefix), match);
  return (outgoing, request) => {
    outgoing.headers["x-forwarded-prefix"] = encodedBytes(made(request.path));
  };
}
