import type { KnownAnnotation, Verdict } from "../../src/ingress/annotations/group.ts";
import { GROUPS } from "../../src/ingress/annotations/known.ts";

const INTRODUCTION = `# Annotations of an Ingress

Fairlead reads the annotations of ingress-nginx (\`nginx.ingress.kubernetes.io/NAME\`) as they are. Each may also be written \`fairlead.dev/NAME\`, which means the same and is stronger.
Here is every annotation that ingress-nginx 1.15 documents, and some of earlier times. This page is made by \`node scripts/ingress-annotations.ts\` from what the code itself goes by (\`src/ingress/annotations/groups\`).

\`fairlead ingress --migrate -f FILE|DIRECTORY|-\` tells of given manifests what is served the same, differently, or not, with what to do; \`-o json\` for programs. It ends with 1 when something is not served.

- **the same**: as ingress-nginx does it.
- **differently**: done, but not quite alike; how is said.
- **nothing to do**: it is passed over, and nothing is lost by that.
- **not**: it cannot be done, and an event on the Ingress says so (\`AnnotationRefused\`).
- **not, 503**: it protects the route, or may, and cannot be done. Requests are answered 503 until it is taken away: a route is never more open here than it was meant to be.

A value that cannot be read is told by an event that names the annotation, the value and what it should be (\`AnnotationInvalid\`), and the usual value is taken. Where it is a protection (a slip in an allow list, a Secret that is not there, an authority that is no URL), requests are answered
503 instead. A name that nobody knows is an event too (\`AnnotationUnknown\`), with the nearest one that there is.

Secrets and ConfigMaps must be in the namespace of the Ingress, also when written \`NAMESPACE/NAME\`: who may write an Ingress may read no more through it than without.

## What is so for every Ingress

- Without annotations: connect 5 s, send and read 60 s, another try after an error or a timeout, three in all, plain requests to a host with TLS are sent to https with 308. So has ingress-nginx it.
- Bodies may have any length; ingress-nginx takes 1m unless told otherwise. \`proxy-body-size\` is the same where it is said.
- Connections that were upgraded, such as WebSockets, may be silent for an hour, or as long as \`proxy-read-timeout\` or \`proxy-send-timeout\` says if that is longer.
- Where plain requests are sent to https, those below \`/.well-known/acme-challenge/\` are not: an authority asks there for what proves that a host is yours.
- No Strict-Transport-Security is added to answers over TLS; \`custom-headers\` can.
- The ConfigMap of ingress-nginx is not read. What of it matters is a flag of \`fairlead ingress\` (\`--forwarded-trust\`, \`--proxy-protocol\`, \`--access-log\`) or an annotation; \`--migrate\` says of each key which.

## Snippets

Configuration of nginx cannot be done. A snippet whose directives all are of those that keep nobody out (headers for clients, compression, buffers, times, logs) is left out with an event, and the route is served. With any other directive (\`deny\`, \`return\`, \`if\`, \`auth_request\`,
\`location\`, \`rewrite\`, a script, an identity header for the backend …) it may be what protects the route, and requests are answered 503.
`;

const words = (verdict: Verdict): [served: string, remark: string] => {
  switch (verdict.served) {
    case "same":
      return ["the same", ""];
    case "differently":
      return ["differently", verdict.how];
    case "ignored":
      return ["nothing to do", verdict.why];
    case "refused":
      return [verdict.closes ? "not, 503" : "not", `${verdict.why}. Instead: ${verdict.instead}`];
  }
};

const cell = (text: string): string => text.replaceAll("|", "\\|");

function row({ name, value, verdict, exceptions = {}, own }: KnownAnnotation): string {
  const [served, remark] = words(verdict);
  const others = Object.entries(exceptions).map(([one, other]) => {
    const [how, why] = words(other);
    return `\`${one}\`: ${how}${why === "" ? "" : ` (${why})`}`;
  });
  const key = own === true ? `fairlead.dev/${name}` : name;
  return `| \`${key}\` | ${value} | ${served} | ${cell([remark, ...others].filter((text) => text !== "").join("; "))} |`;
}

/** docs/ingress-annotations.md */
export const annotationsPage = (): string =>
  [
    INTRODUCTION,
    ...GROUPS.map(({ title, annotations }) =>
      [
        `## ${title}`,
        "",
        "| annotation | value | served | remark |",
        "|---|---|---|---|",
        ...annotations.map(row),
        "",
      ].join("\n"),
    ),
  ].join("\n");
