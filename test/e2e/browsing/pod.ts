import { createServer } from "node:http";
import { WebSocketServer } from "ws";

/** A page that says which pod it is of, and holds a WebSocket to where it came from. */
const page = (name: string): string => `<!doctype html>
<meta charset="utf-8"><title>${name}</title><link rel="icon" href="data:,"><p id="pod">${name}</p>
<script>
  const said = [];
  let waiting = [];
  let isOpen;
  const socket = new WebSocket("wss://" + location.host + "/echo");
  const opened = new Promise((resolve) => socket.addEventListener("open", resolve));
  socket.addEventListener("message", ({ data }) => waiting.shift()?.(data));
  const closed = new Promise((resolve) => socket.addEventListener("close", () => resolve(true)));
  const ask = async (text) => {
    await opened;
    socket.send(text);
    return new Promise((resolve) => waiting.push(resolve));
  };
</script>
`;

/** The program of a pod: the page, and a WebSocket that echoes with the pod's name before it. */
const name = process.env["HOSTNAME"] ?? "";
const server = createServer((request, response) => {
  if (request.url === "/name") return void response.end(name);
  response.setHeader("content-type", "text/html; charset=utf-8");
  response.end(page(name));
});
const sockets = new WebSocketServer({ server, path: "/echo" });
sockets.on("connection", (socket) =>
  socket.on("message", (text) => socket.send(`${name} ${Buffer.isBuffer(text) ? text.toString() : ""}`)),
);
server.listen(8080, "::");
process.on("SIGTERM", () => process.exit(0));
