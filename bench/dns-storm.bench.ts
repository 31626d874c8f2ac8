/**
 * How long DNS takes to answer while 1,000 Services a second are written to the API server: Fairlead's DNS and CoreDNS (with its cache as clusters get it, and
 * without), one after the other, beside one Fairlead API server with 1,000 Services of 10 endpoints. Once all writes are new Services, once they change the
 * Services that are asked for. The writer, a process of its own, keeps its rate whatever the answers; a row whose writes were not answered at that rate is
 * void. dnsperf asks RATE=2000 questions a second for the 1,000 names. All share the machine's processors; before each row the same questions without writes.
 * SECONDS=10 for each row; COREDNS names CoreDNS.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { services } from "../src/api/resources.ts";
import { standOnOwnGround } from "../test/lab/ground.ts";
import { clientOf, kubeconfigOf, serveApiFor } from "./api-process.ts";
import { all, fill, NAMESPACE, questions } from "./dns/cluster.ts";
import type { Contender } from "./contender.ts";
import { latencies, writeLines } from "./dns/dnsperf.ts";
import { startFairlead } from "./dns/fairlead.ts";
import { startCoreDns, startUpstream } from "./dns/rivals.ts";
import { startWriter, type Orders } from "./dns/writer.ts";
import { percentile } from "./percentiles.ts";

const SIZE = 1000;
const WRITES = 1000;
const RATE = Number(process.env["RATE"] ?? 2000);
const SECONDS = Number(process.env["SECONDS"] ?? 10);
/** Of the rate that is wanted: with fewer answered writes a row says nothing. */
const LEAST = 0.97;

standOnOwnGround();
const folder = mkdtempSync(join(tmpdir(), "fl-bench-"));
const running: Contender[] = [];
try {
  const api = await serveApiFor(folder);
  const client = clientOf(api);
  const kubeconfig = join(folder, "kubeconfig");
  writeFileSync(kubeconfig, kubeconfigOf(api), { mode: 0o600 });
  await fill(client, SIZE);
  const resolver = await startUpstream(folder);
  if (resolver !== undefined) running.push(resolver);
  const upstream = resolver?.port ?? 9;
  const writer = await startWriter(api);
  const file = writeLines(join(folder, "questions"), questions.services(SIZE));

  const table: object[] = [];
  const row = async (contender: Contender, kind: Orders["kind"] | "none"): Promise<void> => {
    const before = contender.processorTime();
    const seconds = kind === "none" ? SECONDS / 2 : SECONDS;
    const [written, asked] = await Promise.all([
      kind === "none" ? undefined : writer.write({ kind, rate: WRITES, seconds, size: SIZE }),
      latencies({ port: contender.port, seconds, file, rate: RATE }),
    ]);
    const { samples, lost } = asked;
    const isVoid = written !== undefined && written.rate < WRITES * LEAST;
    table.push({
      server: contender.name,
      "Services written": kind,
      "writes/s": written === undefined ? "" : `${Math.round(written.rate)}${isVoid ? " (void)" : ""}`,
      "writes' p99 ms": written?.p99.toFixed(0) ?? "",
      "p50 ms": percentile(samples, 0.5).toFixed(2),
      "p99 ms": percentile(samples, 0.99).toFixed(2),
      "worst ms": samples.at(-1)?.toFixed(1),
      samples: samples.length,
      lost,
      "CPU of a core": `${((contender.processorTime() - before) / 1e4 / seconds).toFixed(0)} %`,
    });
  };

  for (const start of [
    () => startFairlead(folder, { kubeconfig, upstream, isCaching: true }),
    () => startCoreDns(folder, { kubeconfig, upstream, isCaching: true, workers: 2 }),
    () => startCoreDns(folder, { kubeconfig, upstream, isCaching: false, workers: 2 }),
  ]) {
    const contender = await start();
    if (contender === undefined) continue;
    running.push(contender);
    // Compilers and caches warm up.
    await latencies({ port: contender.port, seconds: 2, file, rate: RATE });
    for (const kind of ["none", "changed", "new"] as const) await row(contender, kind);
    await contender.stop();
    const { items } = await client.list(services, { namespace: NAMESPACE });
    const written = items.filter(({ metadata }) => metadata.name?.startsWith("written"));
    await all(written, ({ metadata }) => client.delete(services, { namespace: NAMESPACE, name: metadata.name! }));
  }
  console.log(`${RATE} questions a second; ${WRITES} writes a second wanted; ${SECONDS} s`);
  console.table(table);
  writer.stop();
  client.close();
  await api.close();
} finally {
  await Promise.all(running.map((contender) => contender.stop()));
  rmSync(folder, { recursive: true, force: true });
}
process.exit();
