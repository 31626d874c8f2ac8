import { existsSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./lab.ts";

/** Where a program is, or why it is not. */
export type Program = { readonly path: string } | { readonly missing: string };

/** A program written in Go, for tests with other people's clients: the one that the variable names, else the one that `npm run clients` built. */
export function goProgram(variable: string, name: string): Program {
  const given = process.env[variable];
  if (given !== undefined && given !== "") return { path: given };
  const path = join(ROOT, "node_modules/.cache/go", name);
  if (existsSync(path)) return { path };
  return { missing: `not measured: ${variable} names no ${name}, and \`npm run clients\` has built none` };
}
