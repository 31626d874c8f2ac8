import { refused, type AnnotationGroup, type Verdict } from "../group.ts";
import { protectingDirective } from "../snippets.ts";

const NOT_DONE: Verdict = refused(
  "configuration of nginx cannot be done; where it may be what protects the route, requests are answered 503",
  "use the annotation for what it does, such as custom-headers, permanent-redirect or allowlist-source-range, and take the snippet away",
);

/** Configuration of nginx, as text. */
export const snippets: AnnotationGroup = {
  title: "Snippets",
  annotations: [
    { name: "configuration-snippet", value: "snippet", verdict: NOT_DONE },
    { name: "server-snippet", value: "snippet", verdict: NOT_DONE },
    {
      name: "stream-snippet",
      value: "snippet",
      verdict: refused("connections that are not HTTP are not an Ingress' here", "use a Service of type LoadBalancer"),
    },
  ],
  read(said) {
    for (const name of ["configuration-snippet", "server-snippet"]) {
      const snippet = said.text(name);
      if (snippet === undefined) continue;
      const directive = protectingDirective(snippet);
      if (directive === undefined) {
        said.fault(
          name,
          "AnnotationRefused",
          "configuration of nginx cannot be done, and is left out; none of its directives keeps anybody out, so the route is served without it",
        );
      } else {
        said.refuse(
          name,
          `configuration of nginx cannot be done, and its ${JSON.stringify(directive)} may be what keeps somebody out`,
        );
      }
    }
    if (said.text("stream-snippet") !== undefined) {
      said.fault(
        "stream-snippet",
        "AnnotationRefused",
        "connections that are not HTTP are not carried; it is left out",
      );
    }
    return {};
  },
};
