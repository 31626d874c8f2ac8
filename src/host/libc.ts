import type * as Ffi from "node:ffi";

/**
 * What of the C library Node has no call of its own for. Each is one system call that does not wait for anything. Descriptors that
 * are opened here are not known to Node: they are closed here too, or by the stream that they were given to.
 */
const FUNCTIONS = {
  open: { arguments: ["pointer", "i32"], return: "i32" },
  close: { arguments: ["i32"], return: "i32" },
  ioctl: { arguments: ["i32", "u64", "pointer"], return: "i32" },
  setns: { arguments: ["i32", "i32"], return: "i32" },
  socket: { arguments: ["i32", "i32", "i32"], return: "i32" },
  bind: { arguments: ["i32", "pointer", "u32"], return: "i32" },
  getsockname: { arguments: ["i32", "pointer", "pointer"], return: "i32" },
  shutdown: { arguments: ["i32", "i32"], return: "i32" },
  setsockopt: { arguments: ["i32", "i32", "i32", "pointer", "u32"], return: "i32" },
  sendto: { arguments: ["i32", "pointer", "u64", "i32", "pointer", "u32"], return: "i64" },
  recv: { arguments: ["i32", "pointer", "u64", "i32"], return: "i64" },
  fallocate: { arguments: ["i32", "i32", "i64", "i64"], return: "i32" },
  fcntl: { arguments: ["i32", "i32", "i32"], return: "i32" },
  syscall: { arguments: ["i64", "i64", "i64", "i64"], return: "i64" },
  __errno_location: { arguments: [], return: "pointer" },
} as const;

export type Libc = ReturnType<typeof Ffi.dlopen<typeof FUNCTIONS>>["functions"];

/** A call into the C library failed, or cannot be made with this Node. */
export class LibcError extends Error {
  override readonly name = "LibcError";
  /** As in errno(3), 0 where the call could not be made. */
  readonly errno: number;
  constructor(message: string, errno: number) {
    super(message);
    this.errno = errno;
  }
}

let loaded: { readonly functions: Libc; readonly errno: () => number } | undefined;

function load(): { readonly functions: Libc; readonly errno: () => number } {
  const ffi = process.getBuiltinModule("node:ffi") as typeof Ffi | undefined;
  if (ffi === undefined) throw new LibcError(`Node ${process.versions.node} has no node:ffi; Node 26 has`, 0);
  const { functions } = ffi.dlopen(null, FUNCTIONS);
  return { functions, errno: () => ffi.getInt32(functions.__errno_location()) };
}

/** The C library that Node itself is linked with. Throws {@link LibcError} where this Node cannot call it. */
export const libc = (): Libc => (loaded ??= load()).functions;

/** Why the last call failed, as in errno(3). */
export const lastErrno = (): number => loaded?.errno() ?? 0;

/** Throws {@link LibcError} for a negative answer of a call; else answers it as a number. */
export function checked(answer: number | bigint, doing: string): number {
  if (answer >= 0) return Number(answer);
  const errno = lastErrno();
  throw new LibcError(`${doing}: errno ${errno}`, errno);
}

/** Where something is in memory, for structures that point to others. Whoever asks keeps it alive meanwhile. */
export const addressOf = (bytes: Buffer): bigint => process.getBuiltinModule("node:ffi").getRawPointer(bytes);

export const cString = (text: string): Buffer => Buffer.from(`${text}\0`);

/** Flags of open(2) and socket(2), the same on x86-64 and arm64 (asm-generic/fcntl.h). */
export const O_RDWR = 0o2;
export const O_NOCTTY = 0o400;
export const O_CLOEXEC = 0o2000000;
export const O_NONBLOCK = 0o4000;
