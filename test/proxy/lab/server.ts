// Runs in a pod's namespace: `node server.ts PORT ADDRESS…`. Answers every connection and datagram with
// `address-that-was-called source-address`, says `ready` when it listens everywhere.
// Given `PORT+` it has two ports more: on the next it answers the same with the port behind; on the third connections stay, and every line of
// them is answered with the address.
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";

const [text = "8080", ...addresses] = process.argv.slice(2);
const port = Number.parseInt(text, 10);
const hasMore = text.endsWith("+");
const plain = (address: string | undefined): string => (address ?? "").replace(/^::ffff:/, "");

const listen = async (address: string, at: number, talk: (socket: Socket) => void): Promise<void> => {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    talk(socket);
  });
  server.listen({ host: address, port: at, backlog: 1024 });
  await once(server, "listening");
};

const hear = async (address: string, at: number, behind: string): Promise<void> => {
  const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
  socket.on("message", (_, from) => socket.send(`${address} ${plain(from.address)}${behind}`, from.port, from.address));
  socket.bind(at, address);
  await once(socket, "listening");
};

for (const address of addresses) {
  for (const at of hasMore ? [port, port + 1] : [port]) {
    const behind = at === port ? "" : ` ${at}`;
    await listen(address, at, (socket) => void socket.end(`${address} ${plain(socket.remoteAddress)}${behind}`));
    await hear(address, at, behind);
  }
  if (hasMore) await listen(address, port + 2, (socket) => void socket.on("data", () => socket.write(`${address}\n`)));
}
process.stdout.write("ready\n");
process.stdin.resume().on("end", () => process.exit(0));
