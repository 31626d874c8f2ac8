import type { Host } from "./host.ts";
import { checked, LibcError, libc } from "./libc.ts";
import { boundSocket } from "./listening-socket.ts";
import { identityOf, isRunning, signalProcess, waitForEnd, type ProcessIdentity } from "./process-identity.ts";

/** The address of a socket. */
export interface HeldAddress {
  readonly protocol: "TCP" | "UDP";
  readonly ip: string;
  readonly port: number;
}

/** A small process that only keeps sockets open, in this order from descriptor 3 on. JSON, so that it can be written down. */
export interface SocketHolder {
  readonly process: ProcessIdentity;
  readonly sockets: readonly HeldAddress[];
}

/** A socket that is open, and its descriptor in this process. */
export interface OpenSocket extends HeldAddress {
  readonly fd: number;
}

/** The same on every architecture (linux/unistd.h); Linux 5.6 and newer. */
const SYS_PIDFD_OPEN = 434n;
const SYS_PIDFD_GETFD = 438n;
const FIRST_DESCRIPTOR = 3;

/** It sleeps once it is told that it has been written down; when we die before that, its input ends and so does it. */
const HOLD = "read -r written && exec sleep infinity </dev/null >/dev/null 2>&1";

/**
 * Opens sockets, and starts the process that holds them when we are gone; `written` writes it down before it is left alone.
 * TCP listens when a server is made of it. Throws {@link LibcError} for an address that cannot be had, with its `address`, and leaves nothing open.
 */
export async function holdSockets(
  host: Host,
  addresses: readonly HeldAddress[],
  written: (holder: SocketHolder) => Promise<void>,
): Promise<OpenSocket[]> {
  const open: OpenSocket[] = [];
  try {
    for (const address of addresses) {
      try {
        open.push({ ...address, fd: boundSocket({ ...address, anyAddress: false }) });
      } catch (error) {
        throw error instanceof LibcError ? new SocketNotHad(address, error) : error;
      }
    }
    const running = await host.open("setsid", ["sh", "-c", HOLD], {
      env: {},
      cwd: "/",
      descriptors: open.map(({ fd }) => fd),
    });
    running.stdout.resume();
    running.stderr.resume();
    try {
      const identity = await identityOf(running.pid);
      if (identity === undefined) throw new Error("starting the process that holds sockets: it ended at once");
      await written({ process: identity, sockets: addresses });
    } catch (error) {
      running.kill("SIGKILL");
      throw error;
    }
    running.stdin.end("\n");
    return open;
  } catch (error) {
    for (const { fd } of open) libc().close(fd);
    throw error;
  }
}

/** An address could not be had for a socket; the cause is a {@link LibcError}. */
export class SocketNotHad extends Error {
  override readonly name = "SocketNotHad";
  readonly address: HeldAddress;
  readonly errno: number;
  constructor(address: HeldAddress, cause: LibcError) {
    super(cause.message, { cause });
    this.address = address;
    this.errno = cause.errno;
  }
}

/** Descriptors of ours for the sockets of a holder. Throws {@link LibcError} where the kernel does not give them to us. */
export function takeHeld({ process, sockets }: SocketHolder): OpenSocket[] {
  const { syscall, close } = libc();
  const holder = checked(syscall(SYS_PIDFD_OPEN, BigInt(process.pid), 0n, 0n), `opening process ${process.pid}`);
  const open: OpenSocket[] = [];
  try {
    for (const [at, socket] of sockets.entries()) {
      const answer = syscall(SYS_PIDFD_GETFD, BigInt(holder), BigInt(FIRST_DESCRIPTOR + at), 0n);
      const { protocol, ip, port } = socket;
      open.push({ ...socket, fd: checked(answer, `taking over the socket of ${protocol} ${ip} port ${port}`) });
    }
    return open;
  } catch (error) {
    for (const { fd } of open) close(fd);
    throw error;
  } finally {
    close(holder);
  }
}

/** Whether this holder lives and has sockets of just these addresses. */
export const holdsThese = async (holder: SocketHolder, addresses: readonly HeldAddress[]): Promise<boolean> =>
  JSON.stringify(holder.sockets) === JSON.stringify(addresses) && isRunning(holder.process);

/** Ends a holder; its sockets go with it, unless somebody else has taken them. */
export async function endHolder({ process }: SocketHolder): Promise<void> {
  if (!(await signalProcess(process, "SIGKILL"))) return;
  if (!(await waitForEnd(process, 10_000)))
    throw new Error(`ending process ${process.pid}, which holds sockets: it has not ended within 10 s`);
}
