// Blocking TCP sockets straight from the C library, so that the generator costs little beside the kernel's path. Runs in a namespace:
// `server ADDRESS PORT` answers one byte to each connection; `client` reads { ip, port, milliseconds } a line and answers
// { connections, latencies }: the time from connect(2) to the first byte of each, in microseconds.
import { createInterface } from "node:readline";

const ffi = process.getBuiltinModule("node:ffi");
const { functions: c } = ffi.dlopen(null, {
  socket: { arguments: ["i32", "i32", "i32"], return: "i32" },
  bind: { arguments: ["i32", "pointer", "u32"], return: "i32" },
  listen: { arguments: ["i32", "i32"], return: "i32" },
  accept: { arguments: ["i32", "u64", "u64"], return: "i32" },
  connect: { arguments: ["i32", "pointer", "u32"], return: "i32" },
  setsockopt: { arguments: ["i32", "i32", "i32", "pointer", "u32"], return: "i32" },
  send: { arguments: ["i32", "pointer", "u64", "i32"], return: "i64" },
  recv: { arguments: ["i32", "pointer", "u64", "i32"], return: "i64" },
  close: { arguments: ["i32"], return: "i32" },
});

const AF_INET = 2;
const SOCK_STREAM = 1;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_LINGER = 13;
const SO_RCVTIMEO = 20;
const byte = Buffer.alloc(1, "x");

/** struct sockaddr_in. */
function sockaddr(ip: string, port: number): Buffer {
  const address = Buffer.alloc(16);
  address.writeUInt16LE(AF_INET, 0);
  address.writeUInt16BE(port, 2);
  for (const [at, octet] of ip.split(".").entries()) address[4 + at] = Number(octet);
  return address;
}

const int = (value: number): Buffer => {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32LE(value);
  return buffer;
};
/** Closing resets: no port stays in TIME_WAIT. */
const LINGER = Buffer.concat([int(1), int(0)]);
/** Two seconds. */
const TIMEOUT = Buffer.alloc(16);
TIMEOUT.writeBigInt64LE(2n, 0);

function serve(ip: string, port: number): never {
  const listener = c.socket(AF_INET, SOCK_STREAM, 0);
  c.setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, int(1), 4);
  if (c.bind(listener, sockaddr(ip, port), 16) < 0 || c.listen(listener, 1024) < 0) {
    throw new Error(`listening on ${ip}:${port} failed`);
  }
  process.stdout.write("ready\n");
  const heard = Buffer.alloc(1);
  for (;;) {
    const connection = c.accept(listener, 0n, 0n);
    if (connection < 0) continue;
    c.setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, TIMEOUT, 16);
    if (c.recv(connection, heard, 1n, 0) === 1n) c.send(connection, byte, 1n, 0x4000);
    // The client resets: it must not be this side that waits.
    c.recv(connection, heard, 1n, 0);
    c.close(connection);
  }
}

interface Round {
  readonly ip: string;
  readonly port: number;
  readonly milliseconds: number;
}

function call({ ip, port, milliseconds }: Round): { connections: number; failed: number; latencies: number[] } {
  const to = sockaddr(ip, port);
  const heard = Buffer.alloc(1);
  const latencies: number[] = [];
  let failed = 0;
  const end = performance.now() + milliseconds;
  for (let now = performance.now(); now < end;) {
    const socket = c.socket(AF_INET, SOCK_STREAM, 0);
    c.setsockopt(socket, SOL_SOCKET, SO_LINGER, LINGER, 8);
    c.setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, TIMEOUT, 16);
    const good =
      c.connect(socket, to, 16) === 0 && c.send(socket, byte, 1n, 0x4000) === 1n && c.recv(socket, heard, 1n, 0) === 1n;
    c.close(socket);
    const then = performance.now();
    if (good) latencies.push((then - now) * 1000);
    else failed += 1;
    now = then;
  }
  return { connections: latencies.length, failed, latencies };
}

const [, , role, ip = "", port = "0"] = process.argv;
if (role === "server") serve(ip, Number(port));
createInterface({ input: process.stdin }).on("line", (line) => {
  const answer = call(JSON.parse(line) as Round);
  process.stdout.write(`${JSON.stringify(answer)}\n`);
});
