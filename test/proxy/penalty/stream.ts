// Runs in a client's namespace: `node stream.ts IP PORT EVERY`. Begins a connection every EVERY milliseconds and keeps what became of each:
// when it began, how long it took, and the address that answered, `refused`, `timeout` after 900 ms, or another error. A line of input is
// answered by a line with all of them, as JSON; from then on it keeps anew.
import { connect } from "node:net";
import { createInterface } from "node:readline";

const [ip = "", port, every] = process.argv.slice(2);
let calls: { at: number; took: number; end: string }[] = [];

function call(): void {
  const at = Date.now();
  let text = "";
  const socket = connect({ host: ip, port: Number(port) });
  const end = (word: string): void => {
    clearTimeout(timer);
    calls.push({ at, took: Date.now() - at, end: word });
    socket.removeAllListeners().on("error", () => {});
    socket.destroy();
  };
  const timer = setTimeout(() => end("timeout"), 900);
  socket.on("data", (chunk) => (text += String(chunk)));
  socket.on("error", (error: NodeJS.ErrnoException) =>
    end(error.code === "ECONNREFUSED" ? "refused" : String(error.code)),
  );
  socket.on("close", () => end(text.split(" ")[0]!));
}
setInterval(call, Number(every));
createInterface({ input: process.stdin }).on("line", () => {
  process.stdout.write(`${JSON.stringify(calls)}\n`);
  calls = [];
});
process.stdin.on("end", () => process.exit(0));
