// Runs in a pod's namespace: `node server.ts PORT ADDRESS…`. Answers every connection and datagram with
// `address-that-was-called source-address`, says `ready` when it listens everywhere.
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";

const [port = "8080", ...addresses] = process.argv.slice(2);
const plain = (address: string | undefined): string => (address ?? "").replace(/^::ffff:/, "");

for (const address of addresses) {
  const tcp = createServer((socket) => {
    socket.on("error", () => {});
    socket.end(`${address} ${plain(socket.remoteAddress)}`);
  });
  tcp.listen({ host: address, port: Number(port), backlog: 1024 });
  await once(tcp, "listening");
  const udp = createSocket(address.includes(":") ? "udp6" : "udp4");
  udp.on("message", (_, from) => udp.send(`${address} ${plain(from.address)}`, from.port, from.address));
  udp.bind(Number(port), address);
  await once(udp, "listening");
}
process.stdout.write("ready\n");
process.stdin.resume().on("end", () => process.exit(0));
