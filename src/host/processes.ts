import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, constants as fsConstants, openSync } from "node:fs";
import { access, open as openFile } from "node:fs/promises";
import { constants } from "node:os";
import { delimiter, join } from "node:path";
import {
  ToolFailed,
  ToolMissing,
  type DetachedOptions,
  type Host,
  type RunOptions,
  type RunResult,
  type Running,
} from "./host.ts";

const SBIN = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/** PATH with the sbin folders: an ordinary user's PATH lacks them, and `ip` and `nft` live there. */
export const searchPath = (path: string | undefined): string =>
  [...new Set([...(path ?? "/usr/local/bin:/usr/bin:/bin").split(delimiter), ...SBIN])].join(delimiter);

const codeOf = (code: number | null, signal: NodeJS.Signals | null): number =>
  code ?? 128 + (signal === null ? 0 : (constants.signals[signal] ?? 0));

/** Waits until the kernel has started the program, so that a missing one is an error here and not later. */
function started(child: ChildProcess, command: string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", (cause: NodeJS.ErrnoException) => {
      reject(
        cause.code === "ENOENT"
          ? new ToolMissing(command, { cause })
          : new Error(`starting ${command}: ${cause.message}`, { cause }),
      );
    });
  });
}

const ownHosts = new WeakSet<Host>();

/** Whether programs of this host run in our own namespaces. */
export const runsHere = (host: Host): boolean => ownHosts.has(host);

/** The machine we run on. */
export function systemHost(environment: NodeJS.ProcessEnv = process.env): Host {
  const path = searchPath(environment["PATH"]);
  const withPath = (env: Readonly<Record<string, string>> | undefined): NodeJS.ProcessEnv =>
    env === undefined ? { ...environment, PATH: path } : { PATH: path, ...env };

  const open: Host["open"] = async (command, args, options = {}) => {
    const inputs = (options.inputs ?? []).map((file) => openSync(file, "r"));
    const child = spawn(command, [...args], {
      env: withPath(options.env),
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      stdio: ["pipe", "pipe", options.stderr ?? "pipe", ...inputs, ...(options.descriptors ?? [])],
    });
    for (const input of inputs) closeSync(input);
    const ended = new Promise<number>((resolve) =>
      child.once("close", (code, signal) => resolve(codeOf(code, signal))),
    );
    await started(child, command);
    // A tool that ends before it has read everything is not our failure; its exit code says what happened.
    child.stdin?.on("error", () => {});
    return {
      pid: child.pid!,
      stdin: child.stdin!,
      stdout: child.stdout!,
      stderr: child.stderr!,
      ended,
      kill: (signal = "SIGTERM") => void child.kill(signal),
    } satisfies Running;
  };

  const run = async (command: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> => {
    options.signal?.throwIfAborted();
    const child = spawn(command, [...args], {
      env: withPath(options.env),
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout!.on("data", (chunk: Buffer) => stdout.push(chunk));
    child.stderr!.on("data", (chunk: Buffer) => stderr.push(chunk));
    child.stdin?.on("error", () => {});
    child.stdin?.end(options.input);
    const ended = new Promise<number>((resolve) =>
      child.once("close", (code, signal) => resolve(codeOf(code, signal))),
    );
    const kill = (): void => void child.kill("SIGKILL");
    const timer = setTimeout(kill, options.timeout ?? 30_000);
    options.signal?.addEventListener("abort", kill, { once: true });
    try {
      await started(child, command);
      const code = await ended;
      options.signal?.throwIfAborted();
      return { code, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() };
    } finally {
      clearTimeout(timer);
      options.signal?.removeEventListener("abort", kill);
    }
  };

  const host: Host = {
    run,
    open,
    async check(command, args, options) {
      const result = await run(command, args, options);
      if (result.code !== 0) throw new ToolFailed([command, ...args].join(" "), options?.input, result);
      return result;
    },
    async startDetached(command: string, args: readonly string[], options: DetachedOptions) {
      const handles = [await openFile(options.output, "a", 0o600)];
      try {
        for (const file of options.files ?? []) handles.push(await openFile(file, "w", 0o600));
        for (const file of options.inputs ?? []) handles.push(await openFile(file, "r"));
        const [output, ...files] = handles.map((handle) => handle.fd);
        const child = spawn(command, [...args], {
          env: withPath(options.env),
          ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
          detached: true,
          stdio: ["ignore", output!, output!, ...files],
        });
        await started(child, command);
        child.unref();
        return child.pid!;
      } finally {
        await Promise.all(handles.map((handle) => handle.close()));
      }
    },
    async which(tool) {
      for (const folder of path.split(delimiter)) {
        const candidate = join(folder, tool);
        const found = await access(candidate, fsConstants.X_OK).then(
          () => true,
          () => false,
        );
        if (found) return candidate;
      }
      return undefined;
    },
  };
  ownHosts.add(host);
  return host;
}
