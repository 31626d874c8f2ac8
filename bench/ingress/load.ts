/** Load by wrk and h2load, and what they say. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { programs } from "../programs.ts";

const run = promisify(execFile);

export interface Loaded {
  /** Requests a second. */
  readonly rate: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly requests: number;
  /** Answers that were not 2xx or 3xx, and connections that failed. */
  readonly errors: number;
}

export interface Load {
  readonly port: number;
  readonly host: string;
  readonly seconds: number;
  readonly connections: number;
  /** The one that the load is kept to; undefined: any. */
  readonly processor: number | undefined;
  readonly headers?: readonly string[];
}

const pinned = (processor: number | undefined, program: string): [string, string[]] =>
  processor === undefined ? [program, []] : ["taskset", ["-c", `${processor}`, program]];

/** `1.23ms`, `850.00us`, `1.02s` in milliseconds. */
function milliseconds(text: string): number {
  const [, number, unit = ""] = /^([\d.]+)(us|ms|s|m)$/.exec(text) ?? [];
  if (number === undefined) throw new Error(`reading what wrk says: ${JSON.stringify(text)} is no time`);
  return Number(number) * ({ us: 0.001, ms: 1, s: 1000, m: 60_000 }[unit] ?? NaN);
}

/** wrk knows `Host` by this spelling only: `host` would be a second one. */
const HOST = "Host";

/** HTTP/1.1 over kept connections, or over a new one for each request with the header `connection: close`. */
export async function wrk({ port, host, seconds, connections, processor, headers = [] }: Load): Promise<Loaded> {
  if (programs.wrk === undefined) throw new Error("measuring HTTP: there is no wrk; 'npm run setup' installs it");
  const [command, before] = pinned(processor, programs.wrk);
  const headerArguments = [`${HOST}: ${host}`, ...headers].flatMap((header) => ["-H", header]);
  const { stdout } = await run(command, [
    ...before,
    "-t1",
    `-c${connections}`,
    `-d${seconds}s`,
    "--latency",
    ...headerArguments,
    `http://127.0.0.1:${port}/`,
  ]);
  const of = (pattern: RegExp): string => pattern.exec(stdout)?.[1] ?? "";
  const sockets = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(stdout)?.slice(1) ?? [];
  // A connection that the server ends as it was asked to is told as a read error of wrk's.
  const isClosing = headers.some((header) => /^connection: close$/i.test(header));
  const broken = sockets.map(Number).filter((_, at) => !(isClosing && at === 1));
  return {
    rate: Number(of(/Requests\/sec:\s+([\d.]+)/)),
    p50: milliseconds(of(/^\s+50%\s+(\S+)/m)),
    p99: milliseconds(of(/^\s+99%\s+(\S+)/m)),
    requests: Number(of(/(\d+) requests in/)),
    errors: Number(of(/Non-2xx or 3xx responses: (\d+)/) || 0) + broken.reduce((one, other) => one + other, 0),
  };
}

/** HTTP/2 over TLS, so many streams at once on each connection. */
export async function h2load(
  { port, host, seconds, connections, processor }: Load,
  streams: number,
  folder: string,
): Promise<Loaded> {
  if (programs.h2load === undefined)
    throw new Error("measuring HTTP/2: there is no h2load; 'npm run setup' installs it");
  const log = join(folder, `h2load-${port}.tsv`);
  const [command, before] = pinned(processor, programs.h2load);
  const { stdout } = await run(
    command,
    [
      ...before,
      "-t1",
      `-c${connections}`,
      `-m${streams}`,
      `-D${seconds}`,
      `--log-file=${log}`,
      `--connect-to=127.0.0.1:${port}`,
      `https://${host}:${port}/`,
    ],
    { maxBuffer: 64 * 1024 * 1024 },
  );
  const lines = readFileSync(log, "utf8").trimEnd().split("\n");
  const took = lines.map((line) => Number(line.split("\t")[2]) / 1000).sort((one, other) => one - other);
  const statuses = lines.map((line) => line.split("\t")[1]);
  return {
    rate: Number(/finished in [^,]+, ([\d.]+) req\/s/.exec(stdout)?.[1]),
    p50: took[Math.floor(took.length * 0.5)] ?? NaN,
    p99: took[Math.floor(took.length * 0.99)] ?? NaN,
    requests: lines.length,
    errors: statuses.filter((status) => status !== "200").length,
  };
}
