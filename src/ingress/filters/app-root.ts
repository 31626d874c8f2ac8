import { encodedText } from "./encoded.ts";
import { requestedAuthority } from "./requested.ts";
import type { Admit } from "./step.ts";

/** `settings.appRoot`: `/`, with any query, is sent there. */
export function appRoot(root: string): Admit {
  // Two slashes would lead to another host.
  const path = `/${encodedText(root).replace(/^\/+/, "")}`;
  return (request) => {
    if (request.path !== "/") return undefined;
    const authority = requestedAuthority(request);
    return {
      status: 302,
      headers: { location: authority === undefined ? path : `${request.scheme}://${authority}${path}` },
    };
  };
}
