import type { PathMatch } from "../plan/plan.ts";
import type { Rewrite } from "../settings/settings.ts";
import { captured } from "./captures.ts";
import { encodedBytes, encodedText } from "./encoded.ts";
import type { Forward } from "./step.ts";

/**
 * `settings.rewrite`: another path is sent than the one that came. The query goes with it, after one that the target has; a target that
 * ends with `?` takes none.
 */
export function rewrite({ target }: Rewrite, match: PathMatch): Forward {
  const text = encodedText(target).replaceAll("#", "%23");
  const question = text.indexOf("?");
  const path = captured(question < 0 ? text : text.slice(0, question), match);
  const query = question < 0 ? undefined : captured(text.slice(question), match);
  return (outgoing, request) => {
    const made = encodedBytes(path(request.path)).replaceAll("?", "%3F").replaceAll("#", "%23");
    const ownQuery = query === undefined ? undefined : encodedBytes(query(request.path)).replaceAll("#", "%23");
    const joined =
      ownQuery === undefined
        ? request.query
        : ownQuery === "?"
          ? ""
          : request.query.length > 1
            ? `${ownQuery}&${request.query.slice(1)}`
            : ownQuery;
    outgoing.target = `${made.startsWith("/") ? "" : "/"}${made}${joined}`;
  };
}
