import { createInterface } from "node:readline";
import type { LabHost } from "./lab.ts";
import { CHECKOUT } from "./lab.ts";
import { until } from "./until.ts";

/** What a steady load has seen so far. */
export interface SteadySeen {
  readonly answered: number;
  readonly failed: number;
  /** The first failures, in words. */
  readonly failures: readonly string[];
  /** Calls begun a second, since the start. */
  readonly rate: number;
  /** The most calls that were under way at once. */
  readonly most: number;
  /** The longest a call took, in milliseconds. */
  readonly longest: number;
  /** The latest that a call was begun after its time, in milliseconds: what a machine short of processors does to the load itself. */
  readonly late: number;
  /** Who answered, and how often. */
  readonly by: Readonly<Record<string, number>>;
}

export interface SteadyLoad {
  readonly seen: () => SteadySeen;
  /** Waits until this many more calls were answered, or one failed. */
  more(count: number): Promise<SteadySeen>;
  end(): Promise<SteadySeen>;
}

/**
 * What the caller runs: a new TCP connection for each call, from each source in turn, begun at its time whether or not those before it have
 * been answered. An answer is whole when the server has closed after as many bytes as it promised.
 */
const script = (
  ip: string,
  port: number,
  sources: readonly string[],
  perSecond: number,
  patience: number,
  halfCloses: boolean,
): string => `
  const { connect } = require("node:net");
  const sources = ${JSON.stringify(sources)};
  const seen = { answered: 0, failed: 0, failures: [], rate: 0, most: 0, longest: 0, late: 0, by: {} };
  let begun = 0, underWay = 0, turn = 0;
  const call = () => {
    const at = performance.now();
    let text = "";
    let fault;
    underWay += 1;
    seen.most = Math.max(seen.most, underWay);
    const socket = connect({ host: ${JSON.stringify(ip)}, port: ${port}, localAddress: sources[turn++ % sources.length] });
    socket.setTimeout(${patience} * 1000, () => socket.destroy(new Error("no answer within ${patience} s")));
    socket.on("error", (error) => (fault = error.message));
    socket.on("data", (chunk) => (text += chunk));
    socket.on("close", () => {
      underWay -= 1;
      seen.longest = Math.max(seen.longest, Math.round(performance.now() - at));
      const [head, body = ""] = text.split("\\r\\n\\r\\n");
      const length = Number(/^content-length: (\\d+)/im.exec(head)?.[1]);
      if (fault === undefined && head.startsWith("HTTP/1.1 200") && body.length === length) {
        seen.answered += 1;
        seen.by[body.trim()] = (seen.by[body.trim()] ?? 0) + 1;
        return;
      }
      seen.failed += 1;
      if (seen.failures.length < 5) seen.failures.push((fault ?? "half an answer: " + JSON.stringify(text.slice(0, 80))) + " at call " + begun + ", " + Math.round(performance.now() - at) + " ms after it began");
    });
    socket.${halfCloses ? "end" : "write"}("GET / HTTP/1.1\\r\\nHost: web\\r\\nConnection: close\\r\\n\\r\\n");
  };
  const start = performance.now();
  const timer = setInterval(() => {
    const elapsed = performance.now() - start;
    seen.late = Math.max(seen.late, Math.round(elapsed - ((begun + 1) * 1000) / ${perSecond}));
    for (const due = Math.floor((elapsed * ${perSecond}) / 1000); begun < due; begun += 1) call();
    seen.rate = Math.round((begun * 1000) / elapsed);
  }, 2);
  const say = () => console.log(JSON.stringify(seen));
  const saying = setInterval(say, 100);
  for (const end of ["SIGTERM", "SIGINT"]) process.once(end, () => {
    clearInterval(timer);
    const last = setInterval(() => {
      if (underWay > 0) return;
      clearInterval(last);
      clearInterval(saying);
      say();
    }, 5);
  });
`;

/**
 * Calls an address from a network at a steady rate, from 16 source addresses that are added to its loopback. `into` stands before
 * commands there. A run whose `rate` falls behind says nothing.
 */
export async function startSteadyLoad(
  host: LabHost,
  into: readonly string[],
  {
    ip,
    port,
    perSecond,
    patience = 5,
    halfCloses = true,
  }: {
    readonly ip: string;
    readonly port: number;
    readonly perSecond: number;
    /** Seconds that a call waits for anything to come. */
    readonly patience?: number;
    /** Ends its half of the connection behind the request; proxies take such a client for gone. */
    readonly halfCloses?: boolean;
  },
): Promise<SteadyLoad> {
  const sources = Array.from({ length: 16 }, (_, index) => `10.99.0.${index + 1}`);
  const inside = (...words: string[]): [string, string[]] => {
    const [command, ...args] = [...into, ...words];
    return [command!, args];
  };
  const addresses = (verb: string): string => sources.map((address) => `addr ${verb} ${address}/32 dev lo`).join("\n");
  await host.check(...inside("ip", "-batch", "-"), { input: addresses("replace") });
  const node = `${CHECKOUT}/node_modules/.bin/node`;
  const running = await host.open(...inside(node, "-e", script(ip, port, sources, perSecond, patience, halfCloses)));
  let seen: SteadySeen = { answered: 0, failed: 0, failures: [], rate: 0, most: 0, longest: 0, late: 0, by: {} };
  let complaints = "";
  let ended = false;
  createInterface({ input: running.stdout }).on("line", (line) => (seen = JSON.parse(line) as SteadySeen));
  running.stderr.on("data", (chunk: Buffer) => (complaints += chunk.toString()));
  return {
    seen: () => seen,
    async more(count) {
      const from = seen.answered;
      await until(
        `${count} more calls of ${ip}:${port} ${complaints}`,
        () => seen.failed > 0 || seen.answered >= from + count,
      );
      return seen;
    },
    async end() {
      if (ended) return seen;
      ended = true;
      running.kill("SIGTERM");
      await running.ended;
      await host.check(...inside("ip", "-batch", "-"), { input: addresses("del") });
      return seen;
    },
  };
}
