import { globSync, readFileSync, statSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { dirname, resolve } from "node:path";
import { parseCorefile, type Corefile } from "../../dns/configuration/corefile/corefile.ts";

/** A Corefile, and what it says now. Throws CorefileError, or what reading a file throws. */
export function readCorefile(path: string): Corefile & { readonly text: string } {
  const text = readFileSync(path, "utf8");
  const corefile = parseCorefile(text, path, {
    environment: process.env,
    readFile: (name) => readFileSync(name, "utf8"),
    filesLike(pattern, from) {
      const whole = resolve(dirname(from), pattern);
      const isFile = (name: string): boolean => statSync(name, { throwIfNoEntry: false })?.isFile() === true;
      return (/[*?]/.test(whole) ? globSync(whole).toSorted() : [whole]).filter(isFile);
    },
    addressesOf: (name) =>
      networkInterfaces()[name]?.map(({ address, scopeid }) => (scopeid ? `${address}%${name}` : address)),
  });
  return { ...corefile, text };
}
