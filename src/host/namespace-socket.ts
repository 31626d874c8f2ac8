import { connect, createServer, Socket, type Server } from "node:net";
import type { IPFamily } from "../net/ip.ts";
import { checked, cString, libc, O_CLOEXEC, O_NONBLOCK } from "./libc.ts";

const CLONE_NEWNET = 0x40000000;
export const AF_INET = 2;
export const AF_INET6 = 10;
const SOCK_STREAM = 1;

/**
 * A socket that belongs to another network namespace, as socket(2) makes it there. This thread is there for the one call that makes the
 * socket; nothing else of it runs meanwhile, and Node's other threads stay where they are. Throws {@link LibcError}.
 */
export function socketIn(namespace: string, domain: number, type: number, protocol: number): number {
  const { open, close, setns, socket } = libc();
  const ours = checked(open(cString("/proc/thread-self/ns/net"), O_CLOEXEC), "opening our own network namespace");
  try {
    const theirs = checked(open(cString(namespace), O_CLOEXEC), `opening the network namespace ${namespace}`);
    try {
      checked(setns(theirs, CLONE_NEWNET), `entering the network namespace ${namespace}`);
      const made = socket(domain, type | O_CLOEXEC | O_NONBLOCK, protocol);
      // Whatever this thread did from here on it would do in a pod's network.
      if (setns(ours, CLONE_NEWNET) !== 0) process.abort();
      return checked(made, `making a socket in the network namespace ${namespace}`);
    } finally {
      close(theirs);
    }
  } finally {
    close(ours);
  }
}

/**
 * Begins a connection to an address as programs of that network namespace see it; of our own where none is named. Throws
 * {@link LibcError} where a namespace cannot be entered; the socket tells how connecting goes.
 */
export function connectIn(namespace: string | undefined, host: string, port: number): Socket {
  if (namespace === undefined) return connect({ host, port, allowHalfOpen: true });
  // Nothing is read of it before it is connected; the types do not know the word for that.
  const domain = host.includes(":") ? AF_INET6 : AF_INET;
  const options = { fd: socketIn(namespace, domain, SOCK_STREAM, 0), allowHalfOpen: true, pauseOnCreate: true };
  const socket = new Socket(options);
  socket.connect({ host, port });
  return socket;
}

/**
 * Listens on a TCP port of the kernel's choosing, on every address of the family in that network namespace; what connects is ended at once.
 * Throws {@link LibcError} where the namespace cannot be entered.
 */
export async function listenIn(namespace: string, family: IPFamily): Promise<Server> {
  const fd = socketIn(namespace, family === "IPv4" ? AF_INET : AF_INET6, SOCK_STREAM, 0);
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.destroy();
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    // A socket that was never bound gets its port by listen(2).
    server.listen({ fd }, resolve);
  });
  return server;
}
