import { spawn, type ChildProcess } from "node:child_process";
import { fchownSync, openSync, closeSync } from "node:fs";
import { constants } from "node:os";
import { ReadStream } from "node:tty";
import { PassThrough, Writable, type Readable } from "node:stream";
import { checked, cString, libc, O_CLOEXEC, O_NOCTTY, O_RDWR } from "./libc.ts";
import { ToolMissing } from "./host.ts";

/** Requests of ioctl(2) for terminals (asm-generic/ioctls.h). */
const TIOCSWINSZ = 0x5414n;
const TIOCSPTLCK = 0x40045431n;
const TIOCGPTN = 0x80045430n;
/** Opens the other end without a path, which somebody else could have something at (Linux 4.13). */
const TIOCGPTPEER = 0x5441n;

/** Numbers of the system calls that all architectures share (asm-generic/unistd.h; Linux 5.6). */
const PIDFD_OPEN = 434n;
const PIDFD_GETFD = 438n;

/** Milliseconds without a word after which a terminal is hung up whose program has ended: what that left in the background may have it for ever. */
const AFTERMATH = 200;

/** The two ends of a new terminal, as descriptors that are ours to close. */
export interface TerminalPair {
  /** Where a person would sit. */
  readonly master: number;
  /** What a program has as its standard streams. */
  readonly slave: number;
  /** Of the slave, in the devpts that the terminal was made in: N of `/dev/pts/N`. */
  readonly number: number;
}

/** Closes descriptors that were opened by `libc`. */
export function closeAll(...descriptors: readonly number[]): void {
  for (const descriptor of descriptors) libc().close(descriptor);
}

/**
 * Makes a terminal in the devpts whose `ptmx` is named, so that its program finds it under its own `/dev/pts`. It is given to `owner`,
 * as a login would. Throws {@link LibcError}.
 */
export function makeTerminal(ptmx: string, owner: { readonly user: number; readonly group: number }): TerminalPair {
  const { open, ioctl } = libc();
  const master = checked(open(cString(ptmx), O_RDWR | O_NOCTTY | O_CLOEXEC), `opening ${ptmx}`);
  const opened = [master];
  try {
    const word = Buffer.alloc(4);
    checked(ioctl(master, TIOCSPTLCK, word), `unlocking a terminal of ${ptmx}`);
    checked(ioctl(master, TIOCGPTN, word), `numbering a terminal of ${ptmx}`);
    const flags = BigInt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    const slave = checked(ioctl(master, TIOCGPTPEER, flags), `opening the other end of a terminal of ${ptmx}`);
    opened.push(slave);
    fchownSync(slave, owner.user, owner.group);
    return { master, slave, number: word.readUInt32LE() };
  } catch (error) {
    closeAll(...opened);
    throw error;
  }
}

/** Tells a terminal its size in characters; its program gets SIGWINCH. A terminal that is gone is no failure. */
export function resizeTerminal(master: number, columns: number, rows: number): void {
  const size = Buffer.alloc(8);
  size.writeUInt16LE(rows, 0);
  size.writeUInt16LE(columns, 2);
  libc().ioctl(master, TIOCSWINSZ, size);
}

/**
 * A copy of a descriptor that another process of ours has open: the same open file, not the same path opened anew. Throws
 * {@link LibcError} where there is no such process, or we may not look into it.
 */
export function takeDescriptor(pid: number, descriptor: number): number {
  const { syscall } = libc();
  const process = checked(syscall(PIDFD_OPEN, BigInt(pid), 0n, 0n), `opening process ${pid}`);
  try {
    return checked(
      syscall(PIDFD_GETFD, BigInt(process), BigInt(descriptor), 0n),
      `taking descriptor ${descriptor} of process ${pid}`,
    );
  } finally {
    closeAll(process);
  }
}

function started(child: ChildProcess, command: string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("spawn", () => resolve(child.pid!));
    child.once("error", (cause: NodeJS.ErrnoException) => {
      reject(cause.code === "ENOENT" ? new ToolMissing(command, { cause }) : cause);
    });
  });
}

/** A program on a terminal of its own. */
export interface TerminalProgram {
  readonly pid: number;
  /** What is typed. Its end is not the terminal's. */
  readonly typed: Writable;
  /** What is shown. Ends when no program has the terminal any more. */
  readonly shown: Readable;
  /** Exit code, or 128 + signal. */
  readonly ended: Promise<number>;
  readonly resize: (columns: number, rows: number) => void;
  /** Closes the terminal, as when a line is cut: programs that still have it get SIGHUP. */
  readonly hangUp: () => void;
}

/**
 * Starts a program whose standard streams are the terminal, which is then the program's: both its descriptors are taken care of. To be a
 * terminal that interrupts, it must become the program's controlling one (`setsid --ctty`).
 */
export async function runOnTerminal(
  command: string,
  args: readonly string[],
  { master, slave }: TerminalPair,
  options: { readonly env: Readonly<Record<string, string>>; readonly inputs: readonly string[] },
): Promise<TerminalProgram> {
  const inputs = options.inputs.map((path) => openSync(path, "r"));
  const child = spawn(command, [...args], { env: { ...options.env }, stdio: [slave, slave, slave, ...inputs] });
  for (const input of inputs) closeSync(input);
  const ended = new Promise<number>((resolve) =>
    child.once("exit", (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]))),
  );
  closeAll(slave);
  let pid: number;
  try {
    pid = await started(child, command);
  } catch (error) {
    closeAll(master);
    throw error;
  }
  const stream = new ReadStream(master);
  const shown = new PassThrough();
  const typed = new Writable({ write: (data: Buffer, _, done) => void stream.write(data, (error) => done(error)) });
  // EIO is how Linux says that no program has the terminal open any more.
  stream.on("error", () => {});
  typed.on("error", () => {});
  stream.once("close", () => {
    shown.end();
    typed.destroy();
  });
  shown.once("close", () => stream.destroy());
  let said = 0;
  stream.on("data", (chunk: Buffer) => (said += chunk.length));
  stream.pipe(shown);
  void ended.then(() => {
    if (stream.closed) return;
    let before = -1;
    const timer = setInterval(() => {
      // Whoever reads slowly is waited for.
      if (stream.isPaused() || said !== before) before = said;
      else stream.destroy();
    }, AFTERMATH);
    stream.once("close", () => clearInterval(timer));
  });
  return {
    pid,
    typed,
    shown,
    ended,
    resize: (columns, rows) => {
      // Once it is closed the number may be that of something else.
      if (!stream.destroyed) resizeTerminal(master, columns, rows);
    },
    hangUp: () => void stream.destroy(),
  };
}

/**
 * Starts a small process that outlives us, holds a terminal, and appends to a file what is shown on it, until no program has the terminal
 * any more. Answers its process id: its standard input is the terminal's master, for {@link takeDescriptor}.
 */
export async function holdTerminal(master: number, file: string): Promise<number> {
  const log = openSync(file, "a", 0o600);
  try {
    const child = spawn("cat", [], {
      cwd: "/",
      env: { PATH: "/usr/bin:/bin" },
      detached: true,
      stdio: [master, log, "ignore"],
    });
    const pid = await started(child, "cat");
    child.unref();
    return pid;
  } finally {
    closeSync(log);
    closeAll(master);
  }
}

/** Starts a program that passes on to a descriptor what is written to it: a write there may wait for ever, and must not wait in us. */
export async function writeThrough(
  descriptor: number,
): Promise<{ readonly stdin: Writable; readonly ended: Promise<void>; readonly kill: () => void }> {
  const child = spawn("cat", [], { cwd: "/", env: { PATH: "/usr/bin:/bin" }, stdio: ["pipe", descriptor, "ignore"] });
  child.stdin!.on("error", () => {});
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  await started(child, "cat");
  return { stdin: child.stdin!, ended, kill: () => void child.kill("SIGKILL") };
}
