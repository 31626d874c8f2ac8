// Runs in a client's namespace: `node senders.ts IP PORT FROM-PORT…`. Sends a datagram to each every 20 ms, always from the same port, as
// a client that never falls silent. A line of input is answered by a line: who answered each last since the line before, or null.
import { createSocket } from "node:dgram";
import { createInterface } from "node:readline";

const words = process.argv.slice(2);
const last: (string | null)[] = [];
for (let at = 0; at < words.length; at += 3) {
  const [ip = "", port, from] = words.slice(at, at + 3);
  const index = at / 3;
  last[index] = null;
  const socket = createSocket(ip.includes(":") ? "udp6" : "udp4");
  socket.on("message", (text) => (last[index] = String(text).split(" ")[0]!));
  socket.on("error", () => {});
  socket.bind(Number(from), () => setInterval(() => socket.send("?", Number(port), ip, () => {}), 20));
}
createInterface({ input: process.stdin }).on("line", () => {
  process.stdout.write(`${JSON.stringify(last)}\n`);
  last.fill(null);
});
process.stdin.on("end", () => process.exit(0));
