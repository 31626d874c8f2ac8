import { checked, libc } from "./libc.ts";

const F_DUPFD_CLOEXEC = 1030;

/** A second descriptor of the same socket: closing one leaves the other, and what is queued, as they are. */
export const duplicate = (fd: number): number =>
  checked(libc().fcntl(fd, F_DUPFD_CLOEXEC, 0), `making a second descriptor of ${fd}`);
