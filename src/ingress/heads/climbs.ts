/**
 * One element of a path that a server behind us could take for `..`: decoded or not, between slashes of either kind, with what some servers cut
 * off at a semicolon. In the syntax that JavaScript and PCRE have in common, to be used without regard to case.
 */
export const CLIMB = "(?:^|[/\\\\]|%2f|%5c)(?:\\.|%2e){2}(?:$|[/\\\\;]|%2f|%5c|%3b)";

const climb = new RegExp(CLIMB, "i");

/**
 * Whether a path climbs out of what it seems to be in. Servers do not agree on what is resolved, so such a one could be let through as `/public`
 * and be taken for `/admin`; no client writes one, as all of them resolve it themselves (RFC 3986 §5.2.4).
 */
export const climbs = (path: string): boolean => (path.includes("..") || path.includes("%")) && climb.test(path);
