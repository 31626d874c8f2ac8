import { familyOf } from "../../net/ip.ts";

/** The resolvers a text in the form of resolv.conf(5) names, as addresses; a scope such as `%eth0` is left out. */
export const nameserversOf = (text: string): string[] => [
  ...new Set(
    [...text.matchAll(/^[ \t]*nameserver[ \t]+(\S+)/gm)]
      .map((match) => match[1]!.replace(/%.*$/, ""))
      .filter((address) => familyOf(address) !== undefined),
  ),
];
