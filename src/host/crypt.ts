import type * as Ffi from "node:ffi";
import { addressOf, cString, LibcError } from "./libc.ts";

const FUNCTIONS = { crypt_r: { arguments: ["pointer", "pointer", "pointer"], return: "pointer" } } as const;
type Functions = ReturnType<typeof Ffi.dlopen<typeof FUNCTIONS>>["functions"];

/** Of Debian and most others, and of those without what glibc had of it. */
const LIBRARIES = ["libcrypt.so.1", "libcrypt.so.2"];
/** Bytes; more than either library's `struct crypt_data`. */
const DATA = 262_144;

let loaded: { readonly functions: Functions; readonly data: Buffer } | undefined;

function load(): { readonly functions: Functions; readonly data: Buffer } {
  const ffi = process.getBuiltinModule("node:ffi") as typeof Ffi | undefined;
  if (ffi === undefined) throw new LibcError(`Node ${process.versions.node} has no node:ffi; Node 26 has`, 0);
  const failures: string[] = [];
  for (const library of LIBRARIES) {
    try {
      return { functions: ffi.dlopen(library, FUNCTIONS).functions, data: Buffer.alloc(DATA) };
    } catch (error) {
      failures.push((error as Error).message);
    }
  }
  throw new LibcError(`checking passwords: there is none of ${LIBRARIES.join(", ")}: ${failures.join("; ")}`, 0);
}

/**
 * crypt(3): hashes a password as an existing hash says. It takes the thread for as long as the hash wants, which may be seconds.
 * Undefined where the library does not know that kind of hash. Throws {@link LibcError} where there is no library.
 */
export function crypt(password: Buffer, hash: string): string | undefined {
  const { functions, data } = (loaded ??= load());
  data.fill(0);
  const key = Buffer.concat([password, Buffer.of(0)]);
  const answer = functions.crypt_r(key, cString(hash), data);
  key.fill(0);
  if (answer === 0n) return undefined;
  const start = Number(answer - addressOf(data));
  if (start < 0 || start >= DATA) return undefined;
  const text = data.toString("latin1", start, data.indexOf(0, start));
  data.fill(0);
  // What begins with `*` is no hash but its word for a failure.
  return text.startsWith("*") ? undefined : text;
}
