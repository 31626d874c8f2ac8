import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { ToolFailed, type Host, type RunOptions, type RunResult } from "../../src/host/host.ts";

/** One line is one program; `$nl` stands for what ends a line. */
const LOOP = `nl="$(printf '\\nx')"; nl="\${nl%x}"; while IFS= read -r line; do eval "$line"; done`;
const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;

export interface ShellHost {
  readonly host: Host;
  close(): Promise<void>;
}

/**
 * A host whose programs are started one after another by one small shell of it, where starting one from Node is slow: in user-mode Linux
 * each fork of a process as large as Node costs twice what the program itself does.
 */
export async function shellHost(base: Host): Promise<ShellHost> {
  const shell = await base.open("sh", ["-c", LOOP], { stderr: "inherit" });
  const folder = mkdtempSync(join(tmpdir(), "fl-shell-"));
  const [input, stdout, stderr] = ["in", "out", "err"].map((name) => join(folder, name)) as [string, string, string];
  const lines = createInterface({ input: shell.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<number> => {
    const line = await lines.next();
    if (line.done === true) throw new Error("the shell that starts programs has ended");
    return Number(line.value);
  };
  const known = new Set<string>();
  const isThere = async (command: string): Promise<boolean> => {
    if (!known.has(command) && (await base.which(command)) !== undefined) known.add(command);
    return known.has(command);
  };
  let last: Promise<unknown> = Promise.resolve();

  const one = async (command: string, args: readonly string[], options: RunOptions): Promise<RunResult> => {
    options.signal?.throwIfAborted();
    if (options.input !== undefined) writeFileSync(input, options.input);
    const from = options.input === undefined ? "/dev/null" : input;
    const words = [command, ...args].map(quoted).join(" ");
    shell.stdin.write(
      `${words.replaceAll("\n", `'"$nl"'`)} <${from} >${stdout} 2>${stderr} & echo $!; wait $!; echo $?\n`,
    );
    const pid = await next();
    const kill = (): void => {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It has just ended by itself.
      }
    };
    const timer = setTimeout(kill, options.timeout ?? 30_000);
    options.signal?.addEventListener("abort", kill, { once: true });
    if (options.signal?.aborted === true) kill();
    const code = await next();
    clearTimeout(timer);
    options.signal?.removeEventListener("abort", kill);
    options.signal?.throwIfAborted();
    return { code, stdout: readFileSync(stdout, "utf8"), stderr: readFileSync(stderr, "utf8") };
  };
  const run: Host["run"] = async (command, args, options = {}) => {
    if (options.env !== undefined || options.cwd !== undefined || !(await isThere(command))) {
      return base.run(command, args, options);
    }
    const done = last.then(() => one(command, args, options));
    last = done.catch(() => {});
    return done;
  };
  return {
    host: {
      ...base,
      run,
      async check(command, args, options) {
        const result = await run(command, args, options);
        if (result.code !== 0) throw new ToolFailed([command, ...args].join(" "), options?.input, result);
        return result;
      },
    },
    async close() {
      await last;
      shell.stdin.end();
      await shell.ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
