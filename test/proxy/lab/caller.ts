// Runs in a client's namespace. One JSON request a line: { id, protocol, ip, port, times, from?, wait, together, keep? }.
// Answers { id, answers }, an answer being what the server said,
// `refused`, `not permitted`, `closed` (accepted, and closed without a word) or `timeout`.
import { createSocket, type Socket as Datagrams } from "node:dgram";
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";

export interface CallRequest {
  readonly id: number;
  readonly protocol: "TCP" | "UDP";
  readonly ip: string;
  readonly port: number;
  readonly times: number;
  /** Source address. */
  readonly from?: string | undefined;
  /** Milliseconds after which a call without an answer is a `timeout`. */
  readonly wait: number;
  /** How many calls may be under way at one time. */
  readonly together: number;
  /** The name of a connection, or of a socket for datagrams, that is made if it is not there and stays for the next request; `together` is 1. */
  readonly keep?: string;
}

// A datagram sent on the node itself that a rule stops is EPERM at once, whether it is refused or dropped.
const WORDS = new Map([
  ["ECONNREFUSED", "refused"],
  ["EPERM", "not permitted"],
  ["ECONNRESET", "closed"],
]);
const verdict = (error: NodeJS.ErrnoException): string => WORDS.get(error.code ?? "") ?? String(error);

// Never the same twice in a run, so that no call meets what the kernel remembers of an earlier one: to IPVS two connections from one
// port to one endpoint are one, whatever address they called. Below the ports the kernel gives itself.
const FIRST_PORT = 10_000;
let count = 0;
const nextPort = (): number => FIRST_PORT + (count++ % 20_000);

const openTcp = ({ ip, port, from }: CallRequest): Socket =>
  connect({ host: ip, port, localPort: nextPort(), ...(from === undefined ? {} : { localAddress: from }) });

const callTcp = (request: CallRequest): Promise<string> =>
  new Promise((resolve) => {
    let text = "";
    const socket = openTcp(request);
    const timer = setTimeout(() => (resolve("timeout"), socket.destroy()), request.wait);
    socket.on("data", (chunk) => (text += String(chunk)));
    socket.on("error", (error) => resolve(verdict(error)));
    socket.on("close", () => (clearTimeout(timer), resolve(text || "closed")));
  });

const openUdp = ({ ip, port, from }: CallRequest, ready: (socket: Datagrams) => void): Datagrams => {
  const socket = createSocket(ip.includes(":") ? "udp6" : "udp4");
  socket.bind({ port: nextPort(), ...(from === undefined ? {} : { address: from }) }, () =>
    // Where there is no way at all it is called too, with an error that the socket tells as well.
    socket.connect(port, ip, (error?: Error) => {
      if (error === undefined) ready(socket);
    }),
  );
  return socket;
};

const askUdp = (socket: Datagrams, wait: number): Promise<string> =>
  new Promise((resolve) => {
    const end = (answer: string): void => {
      clearTimeout(timer);
      socket.removeAllListeners().on("error", () => {});
      resolve(answer);
    };
    const timer = setTimeout(() => end("timeout"), wait);
    socket.on("error", (error) => end(verdict(error)));
    socket.on("message", (text) => end(String(text)));
    socket.send("?", (error) => error && end(verdict(error)));
  });

const callUdp = (request: CallRequest): Promise<string> =>
  new Promise((resolve) => {
    const socket = openUdp(request, () => {
      void askUdp(socket, request.wait).then((answer) => {
        resolve(answer);
        socket.close();
      });
    });
    socket.on("error", (error) => resolve(verdict(error)));
  });

const keptSockets = new Map<string, Promise<Datagrams>>();
const keptConnections = new Map<string, Socket>();

const keepUdp = async (request: CallRequest, name: string): Promise<string> => {
  const opened = keptSockets.get(name) ?? new Promise<Datagrams>((resolve) => openUdp(request, resolve));
  keptSockets.set(name, opened);
  return askUdp(await opened, request.wait);
};

const keepTcp = (request: CallRequest, name: string): Promise<string> =>
  new Promise((resolve) => {
    const known = keptConnections.get(name);
    const socket = known ?? openTcp(request);
    keptConnections.set(name, socket);
    const end = (answer: string): void => {
      clearTimeout(timer);
      socket
        .removeAllListeners("data")
        .removeAllListeners("close")
        .removeAllListeners("error")
        .on("error", () => {});
      resolve(answer);
    };
    const timer = setTimeout(() => end("timeout"), request.wait);
    socket.on("data", (chunk) => end(String(chunk).trim()));
    socket.on("error", (error) => end(verdict(error)));
    socket.on("close", () => end("closed"));
    if (socket.destroyed) end("closed");
    else socket.write("?\n");
  });

async function call(request: CallRequest): Promise<string[]> {
  const answers: string[] = [];
  const { keep, protocol } = request;
  let left = request.times;
  const one = (): Promise<string> => {
    if (keep !== undefined) return protocol === "TCP" ? keepTcp(request, keep) : keepUdp(request, keep);
    return protocol === "TCP" ? callTcp(request) : callUdp(request);
  };
  const worker = async (): Promise<void> => {
    while (left-- > 0) answers.push(await one());
  };
  await Promise.all(Array.from({ length: keep === undefined ? request.together : 1 }, worker));
  return answers;
}

createInterface({ input: process.stdin }).on("line", (line) => {
  const request = JSON.parse(line) as CallRequest;
  void call(request).then((answers) => process.stdout.write(`${JSON.stringify({ id: request.id, answers })}\n`));
});
process.stdin.on("end", () => process.exit(0));
