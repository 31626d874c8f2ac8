import { createInterface } from "node:readline";
import type { LabHost } from "./lab.ts";
import { CHECKOUT } from "./lab.ts";
import { until } from "./until.ts";

/** What a caller has seen so far. */
export interface Seen {
  readonly answered: number;
  readonly failed: number;
  /** The first failures, in words. */
  readonly failures: readonly string[];
  /** The longest a call took, in milliseconds. */
  readonly longest: number;
  /** Who answered, and how often. */
  readonly by: Readonly<Record<string, number>>;
}

/** A program that makes new connections all the time. */
export interface Load {
  readonly seen: () => Seen;
  /** Waits until this many more calls were answered, or one failed. */
  more(count: number): Promise<Seen>;
  end(): Promise<Seen>;
}

/** The addresses that calls come from, beside the host's own. */
const SOURCES = 16;

/** What a caller runs: new connections without pause, from each source in turn; a line of counts ten times a second. */
export const callerScript = (url: string, sources: readonly string[]): string => `
  const { request } = require("node:http");
  const sources = ${JSON.stringify(sources)};
  const seen = { answered: 0, failed: 0, failures: [], longest: 0, by: {} };
  let turn = 0;
  const call = () => new Promise((resolve) => {
    const began = performance.now();
    const done = (fault, body) => {
      seen.longest = Math.max(seen.longest, Math.round(performance.now() - began));
      if (fault === undefined) { seen.answered += 1; seen.by[body] = (seen.by[body] ?? 0) + 1; }
      else { seen.failed += 1; if (seen.failures.length < 5) seen.failures.push(fault + " at call " + (seen.answered + seen.failed)); }
      resolve();
    };
    const localAddress = sources.length === 0 ? undefined : sources[turn++ % sources.length];
    const asked = request(${JSON.stringify(url)}, { agent: false, localAddress, timeout: 5000 }, (response) => {
      let body = "";
      response.on("data", (chunk) => (body += chunk));
      response.on("end", () => done(undefined, body.trim()));
      response.on("error", (error) => done(error.message));
    });
    asked.on("timeout", () => asked.destroy(new Error("no answer within 5 s")));
    asked.on("error", (error) => done(error.message));
    asked.end();
  });
  let ending = false;
  const say = () => console.log(JSON.stringify(seen));
  setInterval(say, 100).unref();
  for (const end of ["SIGTERM", "SIGINT"]) process.on(end, () => (ending = true));
  (async () => {
    while (!ending) { await call(); await new Promise((resolve) => setTimeout(resolve, 4)); }
    say();
  })();
`;

/** Calls a URL from a network, from 16 source addresses that are added to its loopback. `into` stands before commands there. */
export async function startLoad(host: LabHost, into: readonly string[], url: string): Promise<Load> {
  const sources = Array.from({ length: SOURCES }, (_, index) => `10.99.0.${index + 1}`);
  const inside = (...words: string[]): [string, string[]] => {
    const [command, ...args] = [...into, ...words];
    return [command!, args];
  };
  await host.check(...inside("ip", "-batch", "-"), {
    input: sources.map((address) => `addr replace ${address}/32 dev lo`).join("\n"),
  });
  const running = await host.open(...inside(`${CHECKOUT}/node_modules/.bin/node`, "-e", callerScript(url, sources)));
  let seen: Seen = { answered: 0, failed: 0, failures: [], longest: 0, by: {} };
  let complaints = "";
  createInterface({ input: running.stdout }).on("line", (line) => (seen = JSON.parse(line) as Seen));
  running.stderr.on("data", (chunk: Buffer) => (complaints += chunk.toString()));
  const more = async (count: number): Promise<Seen> => {
    const from = seen.answered;
    await until(`${count} more calls of ${url} ${complaints}`, () => seen.failed > 0 || seen.answered >= from + count);
    return seen;
  };
  return {
    seen: () => seen,
    more,
    async end() {
      running.kill("SIGTERM");
      await running.ended;
      await host.check(...inside("ip", "-batch", "-"), {
        input: sources.map((address) => `addr del ${address}/32 dev lo`).join("\n"),
      });
      return seen;
    },
  };
}
