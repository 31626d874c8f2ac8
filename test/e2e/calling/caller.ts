/**
 * Calls Services, asks for names, runs programs and tells its environment, as it is ordered: a line of JSON in, a line of JSON out.
 * `node caller.ts` reads standard input; `node caller.ts PORT` listens, which is how a client pod is ordered about; it
 * then answers on port 8080 too, so that it can call itself.
 */
import { execFile } from "node:child_process";
import { lookup, Resolver } from "node:dns/promises";
import { createServer as createHttpServer, request } from "node:http";
import { connect, createServer } from "node:net";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import type { Called, CallOrder, Line, Named, NameOrder, Order, Ran, RunOrder } from "./orders.ts";

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? (error as Error).message;

function call({ url, patience = 5000 }: CallOrder, from: string | undefined): Promise<Called> {
  const began = performance.now();
  return new Promise((resolve) => {
    const end = (what: Omit<Called, "milliseconds">): void =>
      resolve({ ...what, ...(from === undefined ? {} : { from }), milliseconds: performance.now() - began });
    const asked = request(url, { agent: false, ...(from === undefined ? {} : { localAddress: from }) }, (answer) => {
      let body = "";
      answer.setEncoding("utf8");
      answer.on("data", (chunk: string) => (body += chunk));
      answer.on("end", () => end(JSON.parse(body) as { pod: string; seen: string }));
      answer.on("error", (error) => end({ error: codeOf(error) }));
    });
    const timer = setTimeout(() => {
      end({ error: "SILENT" });
      asked.destroy();
    }, patience);
    asked.on("error", (error) => end({ error: codeOf(error) }));
    asked.on("close", () => clearTimeout(timer));
    asked.end();
  });
}

async function calls(order: CallOrder): Promise<Called[]> {
  const done: Called[] = [];
  for (let turn = 0; turn < (order.times ?? 1); turn++) {
    for (const from of order.from ?? [undefined]) done.push(await call(order, from));
  }
  return done;
}

async function answersTo({ type, name }: NameOrder): Promise<string[]> {
  const resolver = new Resolver({ timeout: 2000, tries: 1 });
  switch (type) {
    case "address":
      return (await lookup(name, { all: true })).map(({ address }) => address);
    case "A":
      return resolver.resolve4(name);
    case "AAAA":
      return resolver.resolve6(name);
    case "SRV":
      return (await resolver.resolveSrv(name)).map((srv) => `${srv.priority} ${srv.port} ${srv.name}`);
    case "PTR":
      return resolver.reverse(name);
  }
}

async function named(order: NameOrder): Promise<Named> {
  try {
    return { answers: (await answersTo(order)).sort() };
  } catch (error) {
    return { answers: [], error: codeOf(error) };
  }
}

const ran = ({ command, args }: RunOrder): Promise<Ran> =>
  new Promise((resolve) => {
    execFile(command, args, { timeout: 30_000, maxBuffer: 2 ** 24 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
      resolve({ code, stdout, stderr: error !== null && code === -1 ? `${stderr}${error.message}` : stderr });
    });
  });

function obey(order: Order): Promise<unknown> {
  switch (order.order) {
    case "call":
      return calls(order);
    case "name":
      return named(order);
    case "environment":
      return Promise.resolve({ ...process.env });
    case "run":
      return ran(order);
  }
}

function handOn(via: { readonly host: string; readonly port: number }, order: Order): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const socket = connect(via);
    socket.on("error", reject);
    createInterface({ input: socket }).once("line", (line) => {
      resolve(JSON.parse(line));
      socket.destroy();
    });
    socket.write(`${JSON.stringify(order)}\n`);
  });
}

/** One order after the other: an answer belongs to the order in its place. */
async function serve(input: Readable, output: Writable): Promise<void> {
  for await (const text of createInterface({ input })) {
    const { via, ...order } = JSON.parse(text) as Line;
    const answer = await (via === undefined ? obey(order) : handOn(via, order)).catch((error: unknown) => ({
      failed: (error as Error).message,
    }));
    output.write(`${JSON.stringify(answer)}\n`);
  }
}

const port = process.argv[2];
if (port === undefined) await serve(process.stdin, process.stdout);
else {
  createServer((socket) => {
    socket.on("error", () => socket.destroy());
    void serve(socket, socket);
  }).listen(Number(port), "::");
  createHttpServer((asked, response) => {
    response.setHeader("connection", "close");
    response.end(JSON.stringify({ pod: process.env["HOSTNAME"], seen: asked.socket.remoteAddress }));
  }).listen(8080, "::");
  process.on("SIGTERM", () => process.exit(0));
}
