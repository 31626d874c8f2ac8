/** Attributes of HTML elements whose value is an address. */
const LINKS =
  /(<[a-z][^>]*?\s(?:href|src|action|background|cite|formaction|longdesc|poster|usemap|data)\s*=\s*)(["'])([^"']*)\2/gi;

/** Where a proxied server's paths are seen by the client, and what that server calls itself. */
export interface Seen {
  /** `/api/v1/namespaces/NS/services/NAME/proxy`, without a slash at the end. */
  readonly prefix: string;
  /** `HOST:PORT` of the server behind the proxy. */
  readonly host: string;
}

/**
 * An address in an answer as the client must ask for it: absolute paths, and addresses of the server itself, move below the prefix; all
 * others stay (SVC-209).
 */
export function seenAddress(address: string, { prefix, host }: Seen): string {
  const own = /^https?:\/\/([^/?#]*)(.*)$/i.exec(address);
  if (own !== null && own[1] !== host) return address;
  const path = own === null ? address : own[2] === "" ? "/" : own[2]!;
  if (!path.startsWith("/") || path.startsWith("//")) return address;
  return path === prefix || path.startsWith(`${prefix}/`) ? path : prefix + path;
}

/** The page with its links as the client must ask for them. */
export const seenPage = (html: string, seen: Seen): string =>
  html.replaceAll(LINKS, (_, before: string, quote: string, address: string) => {
    return `${before}${quote}${seenAddress(address, seen)}${quote}`;
  });
