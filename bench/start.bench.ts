/**
 * How long a start takes, cold data directory, warm compile cache: to the API's answer, to kubectl's first answer, to the first
 * call of a Service by name; what an idle system weighs; and 200 pods until they are ready and in the rules.
 */
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bringUp, type Fairlead } from "../test/lab/fairlead.ts";
import { createLab, CHECKOUT } from "../test/lab/lab.ts";
import { kubectls } from "../test/lab/kubectls.ts";
import { until } from "../test/lab/until.ts";
import { percentile } from "./percentiles.ts";

const ROUNDS = 15;
const lab = await createLab();
const host = await lab.add("h1");
const kubectl = kubectls().at(0);

const spread = (samples: readonly number[]): string =>
  samples.length === 0
    ? "not measured"
    : `p50 ${percentile(samples, 0.5).toFixed(2)} s, worst ${Math.max(...samples).toFixed(2)} s (${samples.length} starts)`;

/** Processes of this Fairlead: its own three, not the pods. */
function processesOf(fairlead: Fairlead): number[] {
  const all = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
  return all.filter((pid) => {
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, "utf8");
      const environment = readFileSync(`/proc/${pid}/environ`, "utf8");
      return (
        /src\/cli\/(main|server\/main|site\/main)\.ts/.test(line) &&
        (line.includes(fairlead.data) || environment.includes(fairlead.data)) &&
        /node/.test(readlinkSync(`/proc/${pid}/exe`))
      );
    } catch {
      return false;
    }
  });
}

const pss = (pid: number): number =>
  Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1] ?? 0) / 1024;
const ticks = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return Number(fields[11]) + Number(fields[12]);
};

try {
  const times = { api: [] as number[], kubectl: [] as number[], ready: [] as number[], call: [] as number[] };
  for (let round = 0; round < ROUNDS; round++) {
    const began = performance.now();
    const since = (): number => (performance.now() - began) / 1000;
    const fairlead = await bringUp(host, { flags: ["--private"], files: [`${CHECKOUT}/examples/hello/web.yaml`] });
    times.ready.push(since());
    times.api.push(Number(fairlead.events.find((event) => event.event === "api")?.["seconds"]));
    const call = until(
      "a call by name",
      async () => (await fairlead.shell("curl", ["-sf", "-m", "1", "http://web"])).code === 0,
      { every: 5 },
    ).then(() => times.call.push(since()));
    if (kubectl !== undefined) {
      await until(
        "kubectl's answer",
        async () => (await fairlead.kubectl(kubectl.path, ["get", "services"])).code === 0,
        { every: 5 },
      );
      times.kubectl.push(since());
    }
    await call;
    await fairlead.end();
  }
  console.log(`up → API answers              ${spread(times.api)}`);
  console.log(`up → ready (rules, DNS)       ${spread(times.ready)}`);
  console.log(`up → first call by name       ${spread(times.call)}`);
  console.log(
    `up → kubectl's first answer   ${spread(times.kubectl)}${kubectl === undefined ? "" : `, kubectl ${kubectl.version}, after ready`}`,
  );
  console.log(
    "rivals: k3s, kind, minikube: not measured (they need images or a container engine that this machine cannot fetch)",
  );

  const fairlead = await bringUp(host, { flags: ["--private"], files: [`${CHECKOUT}/examples/hello/web.yaml`] });
  await until("the pods", async () => (await fairlead.shell("curl", ["-sf", "-m", "1", "http://web"])).code === 0);
  // The start is over when its last clean-up is done, ten seconds after.
  await new Promise((resolve) => setTimeout(resolve, 13_000));
  const own = processesOf(fairlead);
  const before = own.map(ticks).reduce((sum, count) => sum + count, 0);
  const idle = performance.now();
  await new Promise((resolve) => setTimeout(resolve, 20_000));
  const used = own.map(ticks).reduce((sum, count) => sum + count, 0) - before;
  console.log(
    `idle: ${own
      .map(pss)
      .reduce((sum, size) => sum + size, 0)
      .toFixed(
        0,
      )} MB PSS in ${own.length} processes, ${((used * 10) / ((performance.now() - idle) / 100)).toFixed(2)} % of a core over 20 s`,
  );

  const names = Array.from({ length: 200 }, (_, index) => `many-${index}`);
  const file = join(mkdtempSync(join(host.scratch, "many-")), "many.json");
  writeFileSync(
    file,
    JSON.stringify({
      apiVersion: "v1",
      kind: "List",
      items: [
        {
          apiVersion: "v1",
          kind: "Service",
          metadata: { name: "many" },
          spec: { selector: { app: "many" }, ports: [{ port: 80 }] },
        },
        ...names.map((name) => ({
          apiVersion: "v1",
          kind: "Pod",
          metadata: { name, labels: { app: "many" } },
          spec: { terminationGracePeriodSeconds: 0, containers: [{ name: "c", command: ["sleep", "1000000"] }] },
        })),
      ],
    }),
  );
  if (kubectl === undefined) console.log("200 pods: not measured, no kubectl");
  else {
    const began = performance.now();
    await fairlead.kubectl(kubectl.path, ["create", "-f", file], { timeout: 120_000 });
    const created = (performance.now() - began) / 1000;
    await until(
      "200 endpoints",
      async () => {
        const { stdout } = await fairlead.kubectl(kubectl.path, [
          "get",
          "endpointslices",
          "-l",
          "kubernetes.io/service-name=many",
          "-o",
          "jsonpath={.items[*].endpoints[*].conditions.ready}",
        ]);
        return (stdout.match(/true/g) ?? []).length === 200;
      },
      { seconds: 120, every: 50 },
    );
    console.log(
      `200 pods: ready and in slices ${((performance.now() - began) / 1000).toFixed(2)} s after kubectl create began (creating alone took ${created.toFixed(2)} s)`,
    );
  }
  await fairlead.end();
} finally {
  await lab.close();
}
