// Holds TCP connections and says what becomes of them, a line of JSON each: `node holder.ts serve PORT ADDRESS…` accepts them and answers
// what it gets; `node holder.ts call IP PORT idle|busy…` makes one for each word; a busy one writes every 20 ms. Says `opened NAME` and
// `ended NAME CODE`, where CODE is the error, or `end`; a caller's NAME is the word and its number.
import { connect, createServer, type Socket } from "node:net";

const [what, ...words] = process.argv.slice(2);
const say = (text: string): void => void process.stdout.write(`${text}\n`);

function follow(socket: Socket, name: string): void {
  let code = "end";
  socket.on("error", (error: NodeJS.ErrnoException) => (code = error.code ?? "error"));
  socket.on("close", () => say(`ended ${name} ${code}`));
}
if (what === "serve") {
  const [port, ...addresses] = words;
  for (const host of addresses) {
    const server = createServer((socket) => {
      say("opened client");
      follow(socket, "client");
      socket.pipe(socket);
    });
    server.listen({ host, port: Number(port) }, () => say("listening"));
  }
} else {
  const [host = "", port, ...kinds] = words;
  kinds.forEach((kind, at) => {
    const socket = connect({ host, port: Number(port) }, () => say(`opened ${kind}${at}`));
    socket.resume();
    follow(socket, `${kind}${at}`);
    if (kind === "busy") setInterval(() => socket.writable && socket.write("x".repeat(500)), 20);
  });
}
process.stdin.resume().on("end", () => process.exit(0));
