import { open as openFile, readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import type { DetachedOptions, Host, Running } from "./host.ts";

/** Starts programs that outlive us, as {@link Host.startDetached}, but from a small process. */
export interface Launcher {
  /** `command` is an absolute path. Answers the process id. The program's environment is PATH and what `environment` holds. */
  start(command: string, args: readonly string[], options: LaunchOptions): Promise<number>;
  /** Ends the small process; what it started goes on. */
  close(): Promise<void>;
}

export type LaunchOptions = Pick<DetachedOptions, "output"> & {
  /** Opened for writing as descriptor 3. */
  readonly file: string;
  /** Opened for reading as descriptors 4 and 5. */
  readonly inputs: readonly [string, string];
  /** Lines `NAME=VALUE` that the program is started with; names a shell may export, values without line ends. */
  readonly environment: string;
};

/**
 * Always this same text: words come as lines of its input and are never read as shell language. First their number;
 * of the words the first five are the files. A shell has its background programs ignore SIGINT and SIGQUIT; `env` undoes it.
 */
const SCRIPT = `
while IFS= read -r count; do
  set --
  while [ "$count" -gt 0 ]; do
    IFS= read -r word || exit 0
    set -- "$@" "$word"
    count=$((count - 1))
  done
  output=$1 file=$2 input=$3 other=$4 environment=$5
  shift 5
  (
    while IFS= read -r line; do export "$line"; done <"$environment"
    exec env --default-signal=INT,QUIT setsid "$@" 4<"$input" 5<"$other"
  ) </dev/null >>"$output" 2>&1 3>"$file" &
  echo "$!"
done
`;

const environmentOf = (text: string): Record<string, string> =>
  Object.fromEntries(
    text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );

/**
 * A process as large as ours takes long to fork (the kernel copies its page tables: 5 ms for 100 MB, during which
 * nothing else of the thread runs); a shell of 1 MB does it in a fraction. It ends with us: its input closes.
 */
export function createLauncher(host: Host): Launcher {
  let running: Promise<Running> | undefined;
  const answers: { resolve: (pid: number) => void; reject: (error: Error) => void }[] = [];

  const open = async (): Promise<Running> => {
    const shell = await host.open("sh", ["-c", SCRIPT], { env: {}, cwd: "/", stderr: "pipe" });
    createInterface({ input: shell.stdout }).on("line", (line) => answers.shift()?.resolve(Number(line)));
    shell.stderr.resume();
    void shell.ended.then((code) => {
      running = undefined;
      for (const { reject } of answers.splice(0)) {
        reject(new Error(`starting a program: the process that starts them ended with exit code ${code}`));
      }
    });
    return shell;
  };

  return {
    async start(command, args, options) {
      const words = [options.output, options.file, ...options.inputs, options.environment, command, ...args];
      if (words.some((word) => /[\n\0]/.test(word))) {
        const { output, file, inputs } = options;
        const env = environmentOf(await readFile(options.environment, "utf8"));
        return host.startDetached(command, args, { output, files: [file], inputs, cwd: "/", env });
      }
      // Made here, so that a file which cannot be made is an error here, and only its owner reads it.
      await (await openFile(options.output, "a", 0o600)).close();
      await (await openFile(options.file, "w", 0o600)).close();
      running ??= open();
      const shell = await running;
      return new Promise<number>((resolve, reject) => {
        answers.push({ resolve, reject });
        shell.stdin.write(`${[String(words.length), ...words].join("\n")}\n`);
      });
    },
    async close() {
      const shell = await running;
      shell?.stdin.end();
      await shell?.ended;
    },
  };
}
