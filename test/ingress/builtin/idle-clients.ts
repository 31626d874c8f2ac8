/** Opens connections and leaves them be: `node idle-clients.ts PORT COUNT MODE`; says `open`, and ends when it is killed. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

const [port, count, mode] = [Number(process.argv[2]), Number(process.argv[3]), process.argv[4]];
const open: Socket[] = [];
for (let from = 0; from < count; from += 100) {
  const some = Array.from({ length: Math.min(100, count - from) }, async (_, i) => {
    // One address has only so many ports.
    const at = { port, host: "127.0.0.1", localAddress: `127.0.0.${1 + (i % 4)}` };
    const socket = mode === "tls" ? connectTls({ ...at, rejectUnauthorized: false }) : connect(at);
    await once(socket, mode === "tls" ? "secureConnect" : "connect");
    // Used once, as the connections of browsers are.
    socket.write("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n");
    await once(socket, "data");
    open.push(socket);
  });
  await Promise.all(some);
}
process.stdout.write("open\n");
