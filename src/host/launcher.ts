import { open as openFile } from "node:fs/promises";
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
  readonly stdin?: LaunchedStdin | undefined;
  /** Lines `NAME=VALUE` that the program is started with; names a shell may export, values without line ends. */
  readonly environment: string;
};

/** What the program reads; an end of file at once unless told. */
export type LaunchedStdin =
  /**
   * A named pipe that is made at this path, for whoever writes to it later. It has no end before the process is ended whose id is then in
   * the file `PATH.holder`; that one ends by itself some seconds after the program.
   */
  | { readonly pipe: string }
  /** A terminal's path, which is then its output as well. Nobody's controlling one yet: the program may take it. */
  | { readonly terminal: string };

/**
 * Starts one program: words are the files, what it reads and how, then the program. A shell has its background programs ignore SIGINT and
 * SIGQUIT; `env` undoes it. `/proc/self` is the shell itself here: the `read` is its own.
 */
const START = `
output=$1 file=$2 input=$3 other=$4 environment=$5 kind=$6 stdin=$7
shift 7
case $kind in
pipe)
  rm -f "$stdin"
  mkfifo -m 600 "$stdin" || exit
  exec 6<>"$stdin" <"$stdin"
  read -r self rest </proc/self/stat
  setsid tail --pid="$self" --sleep-interval=5 -f /dev/null </dev/null >/dev/null 2>&1 &
  echo "$!" >"$stdin.holder"
  exec 6>&-
  ;;
terminal) exec <"$stdin" >"$stdin" 2>&1; output=$stdin ;;
*) exec </dev/null ;;
esac
while IFS= read -r line; do export "$line"; done <"$environment"
exec env --default-signal=INT,QUIT setsid "$@" >>"$output" 2>&1 3>"$file" 4<"$input" 5<"$other"
`;

/**
 * Always this same text: words come as lines of its input and are never read as shell language. First a line with their number, and once for
 * each line more that a word has, which word that is.
 */
const SCRIPT = `
while IFS=' ' read -r count more; do
  set --
  index=0
  while [ "$index" -lt "$count" ]; do
    IFS= read -r word || exit 0
    index=$((index + 1))
    while [ "\${more%% *}" = "$index" ]; do
      IFS= read -r line || exit 0
      word="$word
$line"
      more=\${more#* }
    done
    set -- "$@" "$word"
  done
  ( ${START} ) >/dev/null 2>&1 &
  echo "$!"
done
`;

function wordsOf(stdin: LaunchedStdin | undefined): readonly [kind: string, path: string] {
  if (stdin === undefined) return ["nothing", "/dev/null"];
  return "pipe" in stdin ? ["pipe", stdin.pipe] : ["terminal", stdin.terminal];
}

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
      const { output, file, inputs, environment, stdin } = options;
      const [kind, path] = wordsOf(stdin);
      const words = [output, file, ...inputs, environment, kind, path, command, ...args];
      if (words.some((word) => word.includes("\0"))) throw new Error(`starting ${command}: a word has a zero byte`);
      // Made here, so that a file which cannot be made is an error here, and only its owner reads it.
      await (await openFile(output, "a", 0o600)).close();
      await (await openFile(file, "w", 0o600)).close();
      running ??= open();
      const shell = await running;
      return new Promise<number>((resolve, reject) => {
        answers.push({ resolve, reject });
        const more = words.flatMap((word, index) =>
          word
            .split("\n")
            .slice(1)
            .map(() => `${index + 1} `),
        );
        shell.stdin.write(`${words.length} ${more.join("")}end\n${words.join("\n")}\n`);
      });
    },
    async close() {
      const shell = await running;
      shell?.stdin.end();
      await shell?.ended;
    },
  };
}
