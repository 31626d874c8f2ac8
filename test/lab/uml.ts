import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { systemHost } from "../../src/host/processes.ts";
import { isRealRoot } from "./ground.ts";
import { ROOT } from "./lab.ts";
import { tellNested, type NestedRun } from "./tap.ts";

/** A program that needs another kernel than the machine's. */
export interface UmlRun {
  /** Its file, from the checkout's root. */
  readonly file: string;
  /** Kernel modules to load first; one that is missing is told on the console, which a failure shows. */
  readonly modules: readonly string[];
  /** Further variables of its environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Where files go that the run leaves in `KEPT`. */
  readonly keep?: string;
  /** Milliseconds for all of it, the kernel's own start (about five seconds) included. */
  readonly deadline: number;
}

/** The folder, as it is seen inside, whose files are taken out after a run. */
export const KEPT = "/run/scratch/kept";

const host = systemHost();
const MEMORY = "1G";
/** Milliseconds in which it must have come to the job; it takes about five seconds. */
const BOOT = 150_000;
const INIT = join(import.meta.dirname, "uml-init.sh");

/** Why nothing can run in user-mode Linux here, as `skip` wants it. */
export async function noUml(): Promise<string | false> {
  for (const tool of ["linux.uml", "modprobe"]) {
    if ((await host.which(tool)) === undefined) {
      return `${tool} is not installed: install the packages user-mode-linux and kmod`;
    }
  }
  // Its programs that ask for the rights of root get those of the file system's owner, who is nobody to an ordinary user.
  if (!isRealRoot()) return "user-mode Linux on the machine's own file system needs root";
  return false;
}

/** What runs inside: its lines come back, and nothing of the run outside is passed on. */
const job = ({ file, env = {} }: UmlRun, options: readonly string[]): string => `cd ${ROOT}
export FAIRLEAD_GROUND=own NODE_COMPILE_CACHE=${process.env["NODE_COMPILE_CACHE"] ?? ""} ${Object.entries(env)
  .map(([name, value]) => `${name}=${value}`)
  .join(" ")}
exec ${process.execPath} ${["--disable-warning=ExperimentalWarning", ...options, file].join(" ")}
`;

const textOf = (path: string): Promise<string> => readFile(path, "utf8").catch(() => "");

/**
 * Runs a program of ours in a kernel of its own, which is an ordinary process on one core: the machine's files are its files,
 * read-only, and its network is empty. `options` are Node's. Without a status it did not come to its end, and `stderr` says more.
 */
export async function runInUml(
  run: UmlRun,
  options: readonly string[] = [],
): Promise<NestedRun & { readonly hasBegun: boolean }> {
  const scratch = await mkdtemp("/tmp/fl-uml-");
  try {
    await Promise.all(["uml", "kept"].map((name) => mkdir(join(scratch, name))));
    await writeFile(join(scratch, "modules"), run.modules.map((module) => `${module}\n`).join(""));
    await writeFile(join(scratch, "job.sh"), job(run, options));
    const kernel = [
      "linux.uml",
      "rootfstype=hostfs",
      "rootflags=/",
      "ro",
      `mem=${MEMORY}`,
      `init=${INIT}`,
      `FAIRLEAD_SCRATCH=${scratch}`,
      `FAIRLEAD_ROOT=${ROOT}`,
      `uml_dir=${scratch}/uml/`,
      "con0=fd:0,fd:1",
      "con=null",
      "quiet",
    ];
    // Its programs are processes of the machine: with a process namespace of their own all end with the first, and that with us.
    const apart = ["--pdeathsig", "KILL", "unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "--"];
    const hasBegun = (): boolean => existsSync(join(scratch, "stdout"));
    const hung = new AbortController();
    const watch = setTimeout(() => hasBegun() || hung.abort(), BOOT);
    const result = await host
      .run("setpriv", [...apart, ...kernel], { timeout: run.deadline, signal: hung.signal })
      .catch((error: unknown) => {
        if (!hung.signal.aborted) throw error;
        return { code: 137, stdout: "", stderr: `nothing ran inside within ${BOOT} ms` };
      })
      .finally(() => clearTimeout(watch));
    const [stdout, stderr, status] = await Promise.all(
      ["stdout", "stderr", "status"].map((name) => textOf(join(scratch, name))),
    );
    const end =
      status === "" ? `it did not come to its end within ${run.deadline} ms, or fell (exit code ${result.code})` : "";
    if (run.keep !== undefined) await cp(join(scratch, "kept"), run.keep, { recursive: true });
    const console = `${result.stdout}\n${result.stderr}`;
    return {
      hasBegun: hasBegun(),
      status: status === "" ? null : Number(status),
      stdout: stdout!,
      stderr: `${stderr}\nuser-mode Linux: ${end}\n${console}`,
    };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Runs a test file in user-mode Linux; each of its tests is told as one of `t`'s own. Skips where that kernel does not start at all. */
export async function insideUml(t: TestContext, run: UmlRun): Promise<void> {
  const ran = await runInUml(run, ["--test", "--test-reporter=tap", "--test-isolation=none"]);
  if (ran.hasBegun) await tellNested(t, ran);
  else t.skip(`user-mode Linux does not start here: ${ran.stderr.trim().split("\n").slice(-3).join(" | ")}`);
}
