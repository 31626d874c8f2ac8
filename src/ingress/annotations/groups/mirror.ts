import type { RouteSettings } from "../../settings/settings.ts";
import { differently, same, type AnnotationGroup } from "../group.ts";
import type { Said } from "../said.ts";
import { isHttpUrl, REQUEST_VARIABLES, unknownVariables } from "../variables.ts";

function mirrorOf(said: Said): RouteSettings["mirror"] {
  const url = said.text("mirror-target");
  if (url === undefined) return undefined;
  const [unknown] = unknownVariables(url, REQUEST_VARIABLES);
  if (!isHttpUrl(url) || unknown !== undefined) {
    const wanted =
      unknown === undefined ? "an absolute URL of http or https" : `a URL without the variable $${unknown}`;
    said.wrong("mirror-target", wanted, "nothing is mirrored");
    return undefined;
  }
  return {
    url,
    host: said.text("mirror-host"),
    body: said.word("mirror-request-body", ["on", "off"], "on") === "on",
  };
}

/** Requests are sent to somebody else, too. */
export const mirror: AnnotationGroup = {
  title: "Mirrors",
  annotations: [
    {
      name: "mirror-target",
      value: "URL",
      verdict: differently("a slow mirror does not slow the request down; what it cannot take is left out"),
    },
    { name: "mirror-host", value: "text", verdict: same },
    { name: "mirror-request-body", value: "word", verdict: same },
  ],
  read: (said) => ({ settings: { mirror: mirrorOf(said) } }),
};
