/**
 * From the API's answer to a write until DNS answers accordingly, Fairlead's DNS and CoreDNS (with its cache as clusters get it, and without) beside one
 * Fairlead API server with 1,000 Services: a new Service whose name was asked, and denied, just before; and an endpoint that leaves a headless Service
 * whose addresses were asked just before. 200 samples each, a look a millisecond, one change after the other; behind CoreDNS's cache, where each takes up to
 * half a minute, all 200 at once with a look each tenth of a second. COREDNS names CoreDNS.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { endpointSlices, services } from "../src/api/resources.ts";
import type { EndpointSlice } from "../src/api/generated/types.ts";
import { standOnOwnGround } from "../test/lab/ground.ts";
import { clientOf, kubeconfigOf, serveApiFor } from "./api-process.ts";
import { all, fill, NAMESPACE, serviceOf, sliceOf, ZONE, type Subject } from "./dns/cluster.ts";
import type { Contender } from "./contender.ts";
import { startFairlead } from "./dns/fairlead.ts";
import { createAsker, type Answer, type Asker } from "./dns/question.ts";
import { startCoreDns, startUpstream } from "./dns/rivals.ts";
import { inMilliseconds } from "./percentiles.ts";

const SERVICES = 1000;
const SAMPLES = 200;
const WARM = 10;
/** Milliseconds that an answer may stay untrue. */
const PATIENCE = 60_000;
const PAIR = ["10.220.0.1", "10.220.0.2"] as const;

/** Milliseconds until an answer is as it should be. */
async function untilAnswer(
  asker: Asker,
  name: string,
  isTrue: (answer: Answer) => boolean,
  every: number,
): Promise<number> {
  const from = performance.now();
  while (!isTrue(await asker.ask(name))) {
    if (performance.now() - from > PATIENCE) throw new Error(`asking for ${name}: still not true after ${PATIENCE} ms`);
    await pause(every);
  }
  return performance.now() - from;
}

const fullName = (name: string): string => `${name}.${NAMESPACE}.svc.${ZONE}`;

standOnOwnGround();
const folder = mkdtempSync(join(tmpdir(), "fl-bench-"));
const running: Contender[] = [];
try {
  const api = await serveApiFor(folder);
  const client = clientOf(api);
  const kubeconfig = join(folder, "kubeconfig");
  writeFileSync(kubeconfig, kubeconfigOf(api), { mode: 0o600 });
  await fill(client, SERVICES);
  const resolver = await startUpstream(folder);
  if (resolver !== undefined) running.push(resolver);
  const upstream = resolver?.port ?? 9;

  let created = 0;
  /** A name nobody has asked for yet, denied once. */
  const denied = async (asker: Asker): Promise<Subject> => {
    created += 1;
    const subject = { name: `new${created}`, clusterIP: `10.97.${created >> 8}.${created & 255}`, endpoints: [] };
    await untilAnswer(asker, fullName(subject.name), ({ kind }) => kind === "none", 1);
    return subject;
  };
  const appears = async (asker: Asker, subject: Subject, every: number): Promise<number> => {
    await client.create(services, serviceOf(subject));
    return untilAnswer(asker, fullName(subject.name), ({ kind }) => kind === "address", every);
  };
  /** A headless Service with two addresses, which are answered. */
  const paired = async (asker: Asker, every: number): Promise<[Subject, EndpointSlice]> => {
    created += 1;
    const subject = { name: `pair${created}`, clusterIP: "None", endpoints: PAIR };
    await client.create(services, serviceOf(subject));
    const slice = await client.create(endpointSlices, sliceOf(subject));
    // Asked too early, a cache would keep a denial for half a minute.
    await pause(every);
    await untilAnswer(asker, fullName(subject.name), ({ addresses }) => addresses.length === 2, 1);
    return [subject, slice];
  };
  const leaves = async (asker: Asker, [subject, slice]: [Subject, EndpointSlice], every: number): Promise<number> => {
    await client.update(endpointSlices, { ...slice, endpoints: slice.endpoints!.slice(0, 1) });
    return untilAnswer(asker, fullName(subject.name), ({ addresses }) => addresses.length === 1, every);
  };

  interface Change<T> {
    readonly name: string;
    readonly prepare: (asker: Asker, every: number) => Promise<T>;
    readonly act: (asker: Asker, prepared: T, every: number) => Promise<number>;
  }
  const oneByOne = async <T>(asker: Asker, { prepare, act }: Change<T>): Promise<number[]> => {
    const samples: number[] = [];
    for (let change = 0; change < SAMPLES + WARM; change += 1) {
      const took = await act(asker, await prepare(asker, 1), 1);
      if (change >= WARM) samples.push(took);
    }
    return samples;
  };
  const allAtOnce = async <T>(asker: Asker, { prepare, act }: Change<T>): Promise<number[]> => {
    const prepared: T[] = [];
    await all(Array.from({ length: SAMPLES }), async () => void prepared.push(await prepare(asker, 100)));
    return Promise.all(prepared.map((each) => act(asker, each, 100)));
  };
  const appearing: Change<Subject> = { name: "new Service, denied before", prepare: denied, act: appears };
  const leaving: Change<[Subject, EndpointSlice]> = {
    name: "address gone from a headless Service",
    prepare: paired,
    act: leaves,
  };

  for (const [start, measure] of [
    [() => startFairlead(folder, { kubeconfig, upstream, isCaching: true }), oneByOne],
    [() => startCoreDns(folder, { kubeconfig, upstream, isCaching: false }), oneByOne],
    [() => startCoreDns(folder, { kubeconfig, upstream, isCaching: true }), allAtOnce],
  ] as const) {
    const contender = await start();
    if (contender === undefined) continue;
    running.push(contender);
    const asker = createAsker(contender.port);
    const tell = (what: string, samples: readonly number[]): void =>
      console.log(`${contender.name}: ${what}: ${inMilliseconds(samples)}`);
    tell(appearing.name, await measure(asker, appearing));
    tell(leaving.name, await measure(asker, leaving));
    asker.close();
    await contender.stop();
  }
  client.close();
  await api.close();
} finally {
  await Promise.all(running.map((contender) => contender.stop()));
  rmSync(folder, { recursive: true, force: true });
}
process.exit();
