import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./lab.ts";

/** Where a program is, or why it is not. */
export type Program = { readonly path: string } | { readonly missing: string };

const CACHE = join(ROOT, "node_modules/.cache/go");
/** A fresh machine has to fetch and compile all that the program is made of, in milliseconds. */
const PATIENCE = 600_000;

const firstLine = (text: string): string => text.trim().split("\n")[0] ?? "";

/**
 * A program that is written in Go, for tests with other people's clients: the one that the variable names, else built by the Go that is in PATH.
 * `args` are those of `go build` or `go install`; the program is looked for under its name in a folder of ours.
 */
export function goProgram(variable: string, name: string, folder: string, args: readonly string[]): Program {
  const given = process.env[variable];
  if (given !== undefined && given !== "") return { path: given };
  try {
    execFileSync("go", ["version"], { stdio: "ignore" });
  } catch {
    return { missing: `not measured: ${variable} names no ${name}, and there is no Go in PATH to build one` };
  }
  mkdirSync(CACHE, { recursive: true });
  const env = { ...process.env, GOBIN: CACHE, GOFLAGS: "-buildvcs=false" };
  const { status, stderr } = spawnSync("go", args, { cwd: folder, env, encoding: "utf8", timeout: PATIENCE });
  if (status === 0) return { path: join(CACHE, name) };
  return { missing: `not measured: building ${name} with Go failed: ${firstLine(stderr)}` };
}
