/**
 * DNS servers with the names of one cluster, asked by dnsperf: Fairlead's DNS, CoreDNS with the Corefile that clusters get (with its cache and
 * without), and nsd with the same records as zones; for names outside the cluster Fairlead, CoreDNS and unbound before the same resolver.
 * Fairlead and CoreDNS are clients of one Fairlead API server. Each has one worker and, where the machine has two processors, one of them, and dnsperf and
 * the outside resolver the other; two workers share both with dnsperf. Rounds alternate between the servers; each row is the median of its rounds, each round
 * has SECONDS with as many queries as are answered and half of that at a moderate rate, whose latencies are told. Processor time is of all rounds.
 *
 * SIZES=1000,10000 Services of 10 endpoints; ROUNDS=3 of SECONDS=0.8 each, RATE=2000 queries a second; COREDNS names CoreDNS. SECONDS=0.3 ROUNDS=1 for a
 * quick look; ONLY=cached,SRV for some rows.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { standOnOwnGround } from "../test/lab/ground.ts";
import { clientOf, kubeconfigOf, serveApiFor } from "./api-process.ts";
import { ENDPOINTS, fill, MANY, questions } from "./dns/cluster.ts";
import type { Contender } from "./contender.ts";
import { flood, latencies, writeLines, type Load } from "./dns/dnsperf.ts";
import { emptyProcess, startFairlead } from "./dns/fairlead.ts";
import { programs } from "./programs.ts";
import { OUTSIDE, startCoreDns, startNsd, startUnbound, startUpstream } from "./dns/rivals.ts";
import { percentile } from "./percentiles.ts";

const SIZES = (process.env["SIZES"] ?? "1000,10000").split(",").map(Number);
const ROUNDS = Number(process.env["ROUNDS"] ?? 3);
const SECONDS = Number(process.env["SECONDS"] ?? 0.8);
const RATE = Number(process.env["RATE"] ?? 2000);
const ONLY = process.env["ONLY"]?.split(",");
const WARM = 0.5;
/** Queries that a round can get through, at the most. */
const MOST = 400_000;

interface Row {
  readonly name: string;
  /** The lines of the next round; told how many queries of the last one were sent. */
  readonly lines: (contender: Contender) => readonly string[];
  readonly load?: Pick<Load, "transport" | "bufferSize">;
  readonly code: "NOERROR" | "NXDOMAIN";
}

const always = (lines: readonly string[]) => (): readonly string[] => lines;

/** All questions in turn, over all rounds: whoever is asked goes on where it was left. */
function inTurn(lines: readonly string[], places: Map<string, number>): Row["lines"] {
  return (contender) => {
    const from = (places.get(contender.name) ?? 0) % lines.length;
    return [...lines.slice(from), ...lines.slice(0, from)];
  };
}

const clusterRows = (size: number, places: Map<string, number>): Row[] => [
  { name: "cached", lines: always(questions.cached()), code: "NOERROR" },
  { name: "uncached", lines: inTurn(questions.everything(size), places), code: "NOERROR" },
  {
    name: `headless, ${MANY} endpoints`,
    lines: always(questions.headless()),
    load: { bufferSize: 4096 },
    code: "NOERROR",
  },
  { name: "· over TCP", lines: always(questions.headless()), load: { transport: "tcp" }, code: "NOERROR" },
  { name: "SRV", lines: always(questions.srv()), code: "NOERROR" },
  { name: "NXDOMAIN", lines: always(questions.absent()), code: "NXDOMAIN" },
];

const outsideRows = (places: Map<string, number>): Row[] => [
  {
    name: "forwarded, cached",
    lines: always(Array.from({ length: 100 }, (_, at) => `kept${at}.${OUTSIDE} A`)),
    code: "NOERROR",
  },
  {
    name: "forwarded, never asked before",
    lines: (contender) => {
      const from = places.get(contender.name) ?? 0;
      return Array.from({ length: MOST / 4 }, (_, at) => `new${from + at}.${OUTSIDE} A`);
    },
    code: "NOERROR",
  },
];

interface Result {
  readonly rate: number;
  readonly p50: number;
  readonly p99: number;
  readonly samples: number;
  /** Microseconds of processor time for each query. */
  readonly cost: number;
  /** Of a response, on average: a server that cuts answers short has less work. */
  readonly bytes: number;
  readonly remarks: string;
}

const median = (values: readonly number[]): number => values.toSorted((one, other) => one - other)[values.length >> 1]!;

async function compare(
  title: string,
  contenders: readonly Contender[],
  rows: readonly Row[],
  { folder, places, processor }: { folder: string; places: Map<string, number>; processor: number | undefined },
): Promise<void> {
  console.log(`\n${title}`);
  const table: object[] = [];
  for (const row of rows) {
    if (ONLY !== undefined && !ONLY.some((word) => row.name.includes(word))) continue;
    const rounds = new Map(contenders.map(({ name }) => [name, [] as { rate: number; p50: number; p99: number }[]]));
    const totals = new Map(
      contenders.map(({ name }) => [name, { used: 0, completed: 0, lost: 0, samples: 0, wrong: 0, bytes: 0 }]),
    );
    for (let round = -1; round < ROUNDS; round += 1) {
      for (const contender of contenders) {
        const total = totals.get(contender.name)!;
        const step = async <T extends { sent: number }>(
          seconds: number,
          act: (load: Load) => Promise<T>,
        ): Promise<T> => {
          const file = writeLines(join(folder, "questions"), row.lines(contender));
          const done = await act({ port: contender.port, seconds, file, processor, ...row.load });
          places.set(contender.name, (places.get(contender.name) ?? 0) + done.sent);
          return done;
        };
        const before = contender.processorTime();
        // The first round warms compilers and caches, and does not count.
        const most = await step(round < 0 ? WARM : SECONDS, flood);
        const used = contender.processorTime() - before;
        if (round < 0) continue;
        const moderate = await step(SECONDS / 2, (load) => latencies({ ...load, rate: RATE }));
        total.used += used;
        total.completed += most.completed;
        total.bytes = most.bytes;
        total.lost += most.lost + moderate.lost;
        total.samples += moderate.samples.length;
        total.wrong += most.completed - (most.codes.get(row.code) ?? 0);
        rounds.get(contender.name)!.push({
          rate: most.rate,
          p50: percentile(moderate.samples, 0.5),
          p99: percentile(moderate.samples, 0.99),
        });
      }
    }
    const results = contenders.map(({ name }): [string, Result] => {
      const each = rounds.get(name)!;
      const { used, completed, lost, samples, wrong, bytes } = totals.get(name)!;
      const remarks = [
        lost > 0 ? `${lost} lost` : "",
        wrong > 0 ? `${((wrong / completed) * 100).toFixed(1)} % not ${row.code}` : "",
        samples < 200 ? `only ${samples} samples` : "",
      ];
      return [
        name,
        {
          rate: median(each.map(({ rate }) => rate)),
          p50: median(each.map(({ p50 }) => p50)),
          p99: median(each.map(({ p99 }) => p99)),
          samples,
          cost: used / completed,
          bytes,
          remarks: remarks.filter((remark) => remark !== "").join(", "),
        },
      ];
    });
    const coredns = results.filter(([name]) => name.startsWith("CoreDNS")).map(([, { rate }]) => rate);
    const ofCoreDns = (rate: number, rival: number | undefined): string =>
      rival === undefined ? "" : (rate / rival).toFixed(2);
    for (const [name, { rate, p50, p99, cost, bytes, remarks }] of results) {
      table.push({
        row: row.name,
        server: name,
        "queries/s": Math.round(rate),
        // With its cache, and then the faster of the two.
        "of CoreDNS": ofCoreDns(rate, coredns[0]),
        "of its best": coredns.length === 0 ? "" : ofCoreDns(rate, Math.max(...coredns)),
        "p50 ms": p50.toFixed(2),
        "p99 ms": p99.toFixed(2),
        "CPU µs/query": cost.toFixed(1),
        bytes: Math.round(bytes),
        remarks,
      });
    }
  }
  console.table(table);
}

const present = (contenders: readonly (Contender | undefined)[]): Contender[] =>
  contenders.filter((contender) => contender !== undefined);
const tellMemory = (when: string, contenders: readonly Contender[]): void =>
  console.log(
    `memory (PSS) ${when}: ${contenders.map((each) => `${each.name} ${each.memory().toFixed(0)} MB`).join(", ")}`,
  );
const stopAll = async (contenders: readonly Contender[]): Promise<void> => {
  await Promise.all(contenders.map((contender) => contender.stop()));
};

standOnOwnGround();
const folder = mkdtempSync(join(tmpdir(), "fl-bench-"));
/** With two processors, the servers have the first and what asks and what is asked behind them the second. */
const apart = cpus().length > 1;
const running: Contender[] = [];
const kept = <T extends Contender | undefined>(contender: T): T => {
  if (contender !== undefined) running.push(contender);
  return contender;
};
try {
  if (programs.dnsperf === undefined) throw new Error("measuring DNS: dnsperf is not there; bin/setup unpacks it");
  const api = await serveApiFor(folder);
  const client = clientOf(api);
  const kubeconfig = join(folder, "kubeconfig");
  writeFileSync(kubeconfig, kubeconfigOf(api), { mode: 0o600 });
  const resolver = kept(await startUpstream(folder));
  if (apart) resolver?.pin(1);
  const upstream = resolver?.port ?? 9;
  console.log(
    `median of ${ROUNDS} rounds of ${SECONDS} s; latencies at ${RATE} queries a second; servers and dnsperf share ${cpus().length} processors`,
  );
  let filled = 0;
  for (const size of SIZES) {
    const began = performance.now();
    await fill(client, size, filled);
    filled = size;
    console.log(
      `\n${size} Services of ${ENDPOINTS} endpoints written in ${((performance.now() - began) / 1000).toFixed(1)} s`,
    );
    const isLast = size === SIZES.at(-1);
    const setting = { folder, places: new Map<string, number>() };

    const empty = await emptyProcess();
    const ours = kept(await startFairlead(folder, { kubeconfig, upstream, isCaching: true }));
    const coredns = kept(await startCoreDns(folder, { kubeconfig, upstream, isCaching: true }));
    const uncaching = kept(await startCoreDns(folder, { kubeconfig, upstream, isCaching: false }));
    const nsd = kept(await startNsd(folder, size));
    const single = present([ours, coredns, uncaching, nsd]);
    tellMemory("after the start", [...single, empty]);
    await empty.stop();
    if (apart) for (const contender of single) contender.pin(0);
    await compare(`${size} Services, one worker`, single, clusterRows(size, setting.places), {
      ...setting,
      processor: apart ? 1 : undefined,
    });
    if (isLast && resolver !== undefined) {
      const unbound = kept(await startUnbound(folder, upstream));
      if (apart) unbound?.pin(0);
      const places = new Map<string, number>();
      await compare("names outside, one worker", present([ours, coredns, uncaching, unbound]), outsideRows(places), {
        folder,
        places,
        processor: apart ? 1 : undefined,
      });
      await unbound?.stop();
    }
    tellMemory("after the load", single);
    await stopAll(single);

    if (isLast) {
      const double = present([
        kept(await startFairlead(folder, { kubeconfig, upstream, isCaching: true, workers: 2 })),
        kept(await startCoreDns(folder, { kubeconfig, upstream, isCaching: true, workers: 2 })),
        kept(await startCoreDns(folder, { kubeconfig, upstream, isCaching: false, workers: 2 })),
        kept(await startNsd(folder, size, 2)),
      ]);
      const places = new Map<string, number>();
      tellMemory("two workers, after the start", double);
      await compare(`${size} Services, two workers`, double, clusterRows(size, places), {
        folder,
        places,
        processor: undefined,
      });
      await stopAll(double);
    }
  }
  client.close();
  await stopAll(running);
  await api.close();
} finally {
  await stopAll(running);
  rmSync(folder, { recursive: true, force: true });
}
process.exit();
