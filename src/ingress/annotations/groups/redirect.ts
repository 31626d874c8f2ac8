import type { Redirect } from "../../settings/settings.ts";
import { ignored, same, type AnnotationGroup } from "../group.ts";
import type { Said } from "../said.ts";
import { isHttpUrl, REQUEST_VARIABLES, unknownVariables } from "../variables.ts";

/** One of the two redirects: its URL and its status. */
function redirectOf(said: Said, name: string, usual: number, most: number): Redirect | undefined {
  const url = said.text(name);
  if (url === undefined) return undefined;
  const unknown = unknownVariables(url, REQUEST_VARIABLES);
  if (!isHttpUrl(url) || unknown.length > 0) {
    const why = unknown.length > 0 ? ` without the variable $${unknown[0]}` : "";
    said.wrong(name, `an absolute URL of http or https${why}`, "nothing is redirected");
    return undefined;
  }
  const status = said.number(`${name}-code`, usual, { least: 300, most, wanted: "a status of a redirect" });
  return { to: { url }, status };
}

/** All requests are sent elsewhere; the temporal one is first. */
export const redirect: AnnotationGroup = {
  title: "Redirects",
  annotations: [
    { name: "permanent-redirect", value: "URL", verdict: same },
    { name: "permanent-redirect-code", value: "number", verdict: same },
    { name: "temporal-redirect", value: "URL", verdict: same },
    { name: "temporal-redirect-code", value: "number", verdict: same },
    { name: "from-to-www-redirect", value: "true or false", verdict: same },
    {
      name: "relative-redirects",
      value: "true or false",
      verdict: ignored("redirects of our own name what they must, and lead to the same place"),
    },
  ],
  read(said) {
    const temporal = redirectOf(said, "temporal-redirect", 302, 307);
    const permanent = redirectOf(said, "permanent-redirect", 301, 308);
    const to = temporal ?? permanent;
    return {
      ...(to === undefined ? {} : { settings: { redirect: to } }),
      wwwRedirect: said.truth("from-to-www-redirect", false),
    };
  },
};
