/**
 * Simulated pods on one node (PODS, 1,000 and 10,000 unless told): from the first create until the API says of all that they are ready,
 * until every one of a sample answers, the memory of the site and of the process that answers, and the processor time all of
 * Fairlead takes when nothing happens.
 */
import { readdirSync, readFileSync } from "node:fs";
import { loadavg } from "node:os";
import { performance } from "node:perf_hooks";
import type { Pod } from "../src/api/generated/types.ts";
import { pods } from "../src/api/resources.ts";
import { createCache } from "../src/client/cache.ts";
import { clientOfDirectory } from "../src/cli/connection.ts";
import { layoutOf } from "../src/cli/data/layout.ts";
import { systemClock } from "../src/observe/clock.ts";
import { silentLog } from "../src/observe/log.ts";
import { bringUp } from "../test/lab/fairlead.ts";
import { createLab } from "../test/lab/lab.ts";
import { until } from "../test/lab/until.ts";

const COUNTS = (process.env["PODS"] ?? "1000,10000").split(",").map(Number);
const WRITERS = 16;
const REST = 20;

interface Usage {
  readonly megabytes: number;
  readonly seconds: number;
}

const fileOf = (pid: string, name: string): string => {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "utf8");
  } catch {
    return "";
  }
};

/** Fairlead's processes of this data directory, by what they are. */
function usage(data: string): Map<string, Usage> {
  const found = new Map<string, Usage>();
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    const words = fileOf(pid, "cmdline");
    const part = /src\/cli\/(server|site)\/main\.ts/.exec(words)?.[1];
    const answers = words.includes("simulated/answering/main.ts");
    if (part === undefined && !answers) continue;
    const where = `${words}${fileOf(pid, "environ")}`;
    // The process that answers is known by whose child it is.
    const parent = /^PPid:\s*(\d+)/m.exec(fileOf(pid, "status"))?.[1] ?? "";
    if (!`${where}${fileOf(parent, "environ")}`.includes(data)) continue;
    const stat = fileOf(pid, "stat");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const resident = Number(/^VmRSS:\s*(\d+)/m.exec(fileOf(pid, "status"))?.[1] ?? 0);
    found.set(part ?? "answering", {
      megabytes: resident / 1024,
      seconds: (Number(fields[11]) + Number(fields[12])) / 100,
    });
  }
  return found;
}

const said = (all: Map<string, Usage>, was?: Map<string, Usage>): string =>
  [...all]
    .map(([name, { megabytes, seconds }]) =>
      was === undefined
        ? `${name} ${megabytes.toFixed(0)} MB`
        : `${name} ${(seconds - (was.get(name)?.seconds ?? 0)).toFixed(2)} s`,
    )
    .join(", ");

const isReady = (pod: Pod): boolean =>
  pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true;

async function measure(count: number): Promise<void> {
  const lab = await createLab();
  try {
    const host = await lab.add("h1");
    const fairlead = await bringUp(host, { flags: ["--runtime", "simulated"] });
    const client = await clientOfDirectory(layoutOf(fairlead.data));
    const seen = createCache<Pod>({ client, clock: systemClock, random: Math.random, log: silentLog, resource: pods });
    const ready = new Set<string>();
    seen.onChange((change) => {
      if (change.type !== "removed" && isReady(change.object)) ready.add(change.object.metadata.uid ?? "");
    });
    await seen.synced();
    const before = usage(fairlead.data);
    const began = performance.now();
    const seconds = (): string => ((performance.now() - began) / 1000).toFixed(2);
    let next = 0;
    const write = async (): Promise<void> => {
      for (let at = next++; at < count; at = next++) {
        await client.create<Pod>(pods, {
          apiVersion: "v1",
          kind: "Pod",
          metadata: { name: `pod-${at}`, namespace: "default", labels: { app: `app-${at % 100}` } },
          spec: { containers: [{ name: "c", image: "none", ports: [{ containerPort: 8080 }] }] },
        });
      }
    };
    await Promise.all(Array.from({ length: WRITERS }, write));
    console.log(`${count} simulated pods: created after ${seconds()} s`);
    await until(`${count} ready pods`, () => ready.size === count, { seconds: 600, every: 20 });
    const after = usage(fairlead.data);
    console.log(`ready after ${seconds()} s; processor time until then: ${said(after, before)}`);
    const sample = [...seen.values()].filter((_, index) => index % Math.ceil(count / 100) === 0);
    for (const pod of sample) {
      const url = `http://${pod.status?.podIP}:8080/hostname`;
      const { stdout } = await host.check("curl", ["-sf", "--max-time", "10", url]);
      if (stdout !== pod.metadata.name) throw new Error(`${url}: answered ${JSON.stringify(stdout)}`);
    }
    console.log(`${sample.length} asked, each answered with its own name; memory: ${said(usage(fairlead.data))}`);
    await new Promise((resolve) => setTimeout(resolve, 5000));
    const still = usage(fairlead.data);
    await new Promise((resolve) => setTimeout(resolve, REST * 1000));
    console.log(
      `at rest, processor time in ${REST} s: ${said(usage(fairlead.data), still)}; memory: ${said(usage(fairlead.data))}`,
    );
    seen.stop();
    client.close();
    const ending = performance.now();
    await fairlead.end();
    console.log(`all taken away in ${((performance.now() - ending) / 1000).toFixed(2)} s`);
    console.log(`load of the machine ${loadavg()[0]?.toFixed(1)}`);
  } finally {
    await lab.close();
  }
}

for (const count of COUNTS) await measure(count);
console.log("rival: KWOK (simulated nodes and pods, which answer no connection): not measured (it could not be had)");
