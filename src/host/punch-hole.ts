import { checked, cString, libc, O_CLOEXEC, O_RDWR } from "./libc.ts";

/** FALLOC_FL_PUNCH_HOLE with FALLOC_FL_KEEP_SIZE (linux/falloc.h). */
const PUNCH = 0x03;

/**
 * Gives the disk back the beginning of a file. What comes after stays where it is, and so does whoever writes there. Throws
 * {@link LibcError}, on a file system that cannot do it (EOPNOTSUPP) too.
 */
export function punchHole(path: string, length: number): void {
  const { open, close, fallocate } = libc();
  const file = checked(open(cString(path), O_RDWR | O_CLOEXEC), `opening ${path}`);
  try {
    checked(fallocate(file, PUNCH, 0n, BigInt(length)), `giving back the first ${length} bytes of ${path}`);
  } finally {
    close(file);
  }
}
