/** The load of dnsperf: as many queries as a server answers, and how long an answer takes at a moderate rate. */
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { environment, programs } from "../programs.ts";

const SOCKETS = 16;
/** Queries under way at one time when there are as many as can be. */
const UNDER_WAY = 100;

export interface Load {
  readonly port: number;
  readonly seconds: number;
  /** A file of lines `NAME TYPE`, which are asked in turn. */
  readonly file: string;
  readonly transport?: "udp" | "tcp";
  /** What the asker takes over UDP; absent: it speaks no EDNS. */
  readonly bufferSize?: number;
  /** That many queries a second, and no more. */
  readonly rate?: number;
  /** The processor it is kept to. */
  readonly processor?: number | undefined;
}

export interface Counted {
  readonly rate: number;
  readonly completed: number;
  readonly sent: number;
  readonly lost: number;
  /** Of a response, on average. */
  readonly bytes: number;
  /** By response code. */
  readonly codes: ReadonlyMap<string, number>;
}

function run(load: Load, ...more: readonly string[]): Promise<string> {
  const { port, seconds, file, transport = "udp", bufferSize, processor } = load;
  const args = ["-s", "127.0.0.1", "-p", `${port}`, "-d", file, "-l", `${seconds}`, "-c", `${SOCKETS}`, "-t", "1"];
  args.push("-m", transport, "-q", `${UNDER_WAY}`, ...more);
  if (bufferSize !== undefined) args.push("-e", "-b", `${bufferSize}`);
  const command = [programs.dnsperf!, ...args];
  if (processor !== undefined) command.unshift("taskset", "-c", `${processor}`);
  return new Promise((resolve, reject) =>
    execFile(command[0]!, command.slice(1), { env: environment, maxBuffer: 1 << 30 }, (error, output, complaints) =>
      error === null ? resolve(output) : reject(new Error(`running dnsperf: ${complaints}`, { cause: error })),
    ),
  );
}

function countsIn(output: string): Counted {
  const number = (what: string): number => Number(new RegExp(`${what}:?\\s+([\\d.]+)`).exec(output)?.[1] ?? Number.NaN);
  const codes = /Response codes:\s+(.*)/.exec(output)?.[1] ?? "";
  return {
    rate: number("Queries per second"),
    completed: number("Queries completed"),
    sent: number("Queries sent"),
    lost: number("Queries lost"),
    bytes: number("Average packet size:\\s+request \\d+, response"),
    codes: new Map([...codes.matchAll(/([A-Z]+) (\d+)/g)].map(([, code, count]) => [code!, Number(count)])),
  };
}

/** As many queries as it answers. */
export const flood = async (load: Load): Promise<Counted> => countsIn(await run(load));

/** How long each answer took, in milliseconds, in the order of size. */
export async function latencies(load: Load & { readonly rate: number }): Promise<Counted & { samples: number[] }> {
  const output = await run(load, "-v", "-Q", `${load.rate}`);
  const samples = [...output.matchAll(/^> \S+ \S+ \S+ ([\d.]+)$/gm)].map(([, seconds]) => Number(seconds) * 1000);
  return { ...countsIn(output), samples: samples.sort((one, other) => one - other) };
}

export function writeLines(path: string, lines: readonly string[]): string {
  writeFileSync(path, `${lines.join("\n")}\n`);
  return path;
}
