// Runs in a client's namespace. One JSON request a line: { id, protocol, ip, port, times, from?, wait, together }.
// Answers { id, answers }, an answer being what the server said,
// `refused`, `not permitted`, `closed` (accepted, and closed without a word) or `timeout`.
import { createSocket } from "node:dgram";
import { connect } from "node:net";
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
}

// A datagram sent on the node itself that a rule stops is EPERM at once, whether it is refused or dropped.
const WORDS = new Map([
  ["ECONNREFUSED", "refused"],
  ["EPERM", "not permitted"],
  ["ECONNRESET", "closed"],
]);
const verdict = (error: NodeJS.ErrnoException): string => WORDS.get(error.code ?? "") ?? String(error);

const callTcp = ({ ip, port, from, wait }: CallRequest): Promise<string> =>
  new Promise((resolve) => {
    let text = "";
    const socket = connect({ host: ip, port, ...(from === undefined ? {} : { localAddress: from }) });
    const timer = setTimeout(() => (resolve("timeout"), socket.destroy()), wait);
    socket.on("data", (chunk) => (text += String(chunk)));
    socket.on("error", (error) => resolve(verdict(error)));
    socket.on("close", () => (clearTimeout(timer), resolve(text || "closed")));
  });

const callUdp = ({ ip, port, from, wait }: CallRequest): Promise<string> =>
  new Promise((resolve) => {
    const socket = createSocket(ip.includes(":") ? "udp6" : "udp4");
    const end = (answer: string): void => {
      clearTimeout(timer);
      resolve(answer);
      socket.removeAllListeners().on("error", () => {});
      socket.close();
    };
    const timer = setTimeout(() => end("timeout"), wait);
    socket.on("error", (error) => end(verdict(error)));
    socket.on("message", (text) => end(String(text)));
    socket.bind({ port: 0, ...(from === undefined ? {} : { address: from }) }, () =>
      socket.connect(port, ip, () => socket.send("?", (error) => error && end(verdict(error)))),
    );
  });

async function call(request: CallRequest): Promise<string[]> {
  const answers: string[] = [];
  let left = request.times;
  const worker = async (): Promise<void> => {
    while (left-- > 0) answers.push(await (request.protocol === "TCP" ? callTcp(request) : callUdp(request)));
  };
  await Promise.all(Array.from({ length: request.together }, worker));
  return answers;
}

createInterface({ input: process.stdin }).on("line", (line) => {
  const request = JSON.parse(line) as CallRequest;
  void call(request).then((answers) => process.stdout.write(`${JSON.stringify({ id: request.id, answers })}\n`));
});
process.stdin.on("end", () => process.exit(0));
