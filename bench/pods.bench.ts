/**
 * 200 process pods behind one Service: from the first create to 200 ready endpoints in its slices, and to 200 slots in the kernel's table.
 * The rule set is read once, when all is over: reading it would slow what is measured, so the kernel's moment is the last
 * line of `nft monitor` that adds one of the pods' addresses.
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { createInterface } from "node:readline";
import { loadavg } from "node:os";
import { performance } from "node:perf_hooks";
import { endpointSlices, pods, services } from "../src/api/resources.ts";
import type { EndpointSlice, Pod, Service } from "../src/api/generated/types.ts";
import { clientOfDirectory } from "../src/cli/connection.ts";
import { layoutOf } from "../src/cli/data/layout.ts";
import { bringUp } from "../test/lab/fairlead.ts";
import { createLab } from "../test/lab/lab.ts";
import { until } from "../test/lab/until.ts";

const PODS = Number(process.env["PODS"] ?? 200);
const WRITERS = 16;
/** Seconds of processor time that Fairlead's processes have used, by what they are. */
function processorTime(data: string): Map<string, number> {
  const used = new Map<string, number>();
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, "utf8");
      const name = /src\/cli\/(server|site)\/main\.ts/.exec(words)?.[1];
      const environment = readFileSync(`/proc/${pid}/environ`, "utf8");
      if (name === undefined || !`${words}${environment}${readlinkSync(`/proc/${pid}/fd/2`)}`.includes(data)) continue;
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      used.set(name, (Number(fields[11]) + Number(fields[12])) / 100);
    } catch {
      // It has ended meanwhile.
    }
  }
  return used;
}

const lab = await createLab();
const host = await lab.add("h1");
try {
  const fairlead = await bringUp(host);
  const client = await clientOfDirectory(layoutOf(fairlead.data));
  await client.create<Service>(services, {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "many", namespace: "default" },
    spec: { selector: { app: "many" }, ports: [{ port: 80, targetPort: 8080 }] },
  });
  const monitor = await host.open("nft", ["monitor"]);
  let lastChange = 0;
  createInterface({ input: monitor.stdout }).on("line", (line) => {
    if (line.includes("10.244.")) lastChange = performance.now();
  });

  const usedBefore = processorTime(fairlead.data);
  const began = performance.now();
  let next = 0;
  const write = async (): Promise<void> => {
    for (let at = next++; at < PODS; at = next++) {
      await client.create<Pod>(pods, {
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name: `pod-${at}`, namespace: "default", labels: { app: "many" } },
        spec: { terminationGracePeriodSeconds: 0, containers: [{ name: "c", command: ["sleep", "1000000"] }] },
      });
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, write));
  const created = performance.now();

  const slicesOf = async (): Promise<EndpointSlice[]> =>
    (
      await client.list<EndpointSlice>(endpointSlices, {
        namespace: "default",
        labelSelector: "kubernetes.io/service-name=many",
      })
    ).items;
  const readyOf = (slices: readonly EndpointSlice[]): string[] =>
    slices.flatMap(({ endpoints }) =>
      (endpoints ?? []).filter(({ conditions }) => conditions?.ready === true).flatMap(({ addresses }) => addresses),
    );
  const slices = await until(
    `${PODS} ready endpoints`,
    async () => {
      const found = await slicesOf();
      return readyOf(found).length === PODS && found;
    },
    { seconds: 60, every: 25 },
  );
  const ready = performance.now();
  const used = [...processorTime(fairlead.data)].map(
    ([name, seconds]) => `${name} ${(seconds - (usedBefore.get(name) ?? 0)).toFixed(2)} s`,
  );
  const addresses = readyOf(slices);
  const rules = await until("the kernel's table to have every pod", async () => {
    const { stdout } = await host.check("nft", ["list", "ruleset"]);
    return addresses.every((address) => stdout.includes(address)) && stdout;
  });
  await new Promise((resolve) => setTimeout(resolve, 300));
  const slots = new Set(rules.match(/10\.244\.\d+\.\d+(?= \. 8080)/g)).size;
  const seconds = (moment: number): string => ((moment - began) / 1000).toFixed(2);
  const list = await client.list<Pod>(pods, { namespace: "default" });
  console.log(
    `${PODS} process pods: all created after ${seconds(created)} s, ready in slices after ${seconds(ready)} s, in the kernel after ${seconds(lastChange)} s (${slots} slots)`,
  );
  console.log(`processor time until ready: ${used.join(", ")}; load of the machine ${loadavg()[0]?.toFixed(1)}`);
  const revision = (list as { metadata?: { resourceVersion?: string } }).metadata?.resourceVersion;
  const generations = slices.map(({ metadata }) => metadata.generation).join(" ");
  console.log(`revision of the store ${revision}; generations of the slices: ${generations}`);
  console.log("rival: kubelet with a container runtime: not measured (none can be had here)");
  monitor.kill();
  client.close();
  await fairlead.end();
} finally {
  await lab.close();
}
