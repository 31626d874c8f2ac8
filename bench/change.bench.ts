/**
 * From the API's answer to the kernel: a pod loses and regains its Service's label 200 times on a system with 1,000 Services; `nft monitor`
 * in the site tells when the rule set changed. The rival in the same run is a spawned `nft -f -` of the same size of change.
 */
import { createInterface } from "node:readline";
import { performance } from "node:perf_hooks";
import { clientOfDirectory } from "../src/cli/connection.ts";
import { layoutOf } from "../src/cli/data/layout.ts";
import { pods, services, endpointSlices } from "../src/api/resources.ts";
import type { EndpointSlice, Pod, Service } from "../src/api/generated/types.ts";
import { bringUp } from "../test/lab/fairlead.ts";
import { createLab, CHECKOUT } from "../test/lab/lab.ts";
import { until } from "../test/lab/until.ts";
import { inMilliseconds } from "./percentiles.ts";

const CHANGES = 200;
const SERVICES = 1000;
const lab = await createLab();
const host = await lab.add("h1");
try {
  const fairlead = await bringUp(host, { files: [`${CHECKOUT}/examples/hello/web.yaml`] });
  const client = await clientOfDirectory(layoutOf(fairlead.data));
  for (let from = 0; from < SERVICES; from += 50) {
    await Promise.all(
      Array.from({ length: 50 }, (_, index) => {
        const name = `other-${from + index}`;
        return client.create<Service>(services, {
          apiVersion: "v1",
          kind: "Service",
          metadata: { name, namespace: "default" },
          spec: { selector: { app: "web" }, ports: [{ port: 80, targetPort: 8080 }] },
        });
      }),
    );
  }
  await client.create<Pod>(pods, {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "mover", namespace: "default", labels: { app: "off" } },
    spec: { terminationGracePeriodSeconds: 0, containers: [{ name: "c", command: ["sleep", "100000"] }] },
  });
  await client.create<Service>(services, {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "mover", namespace: "default" },
    spec: { selector: { app: "moving" }, ports: [{ port: 80, targetPort: 8080 }] },
  });
  const pod = await until("the pod to be ready", async () => {
    const found = await client.get<Pod>(pods, { namespace: "default", name: "mover" });
    return (
      found.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true && found
    );
  });
  await until(
    "the slices of all Services",
    async () => {
      const list = await client.list<EndpointSlice>(endpointSlices, { namespace: "default" });
      const done = list.items.filter((slice) => (slice.endpoints ?? []).length === 3).length;
      return done >= SERVICES;
    },
    { seconds: 120, every: 200 },
  );
  const ip = pod.status!.podIP!;

  const monitor = await host.open("nft", ["monitor"]);
  let seen: () => void = () => {};
  let expected: "add" | "delete" = "add";
  createInterface({ input: monitor.stdout }).on("line", (line) => {
    // One line of the several that a change makes, and only of this one: earlier ones may still arrive.
    const verb = /^(add|delete) element \S+ fairlead hairpin /.exec(line)?.[1];
    if (verb === expected && line.includes(ip)) seen();
  });
  await until("nft monitor to listen", async () => {
    const once = new Promise<true>((resolve) => (seen = () => resolve(true)));
    const moved = await client.get<Pod>(pods, { namespace: "default", name: "mover" });
    const label = moved.metadata.labels?.["app"] === "moving" ? "off" : "moving";
    expected = label === "moving" ? "add" : "delete";
    await client.patch(pods, { namespace: "default", name: "mover" }, "merge", {
      metadata: { labels: { app: label } },
    });
    return Promise.race([once, new Promise<false>((resolve) => setTimeout(() => resolve(false), 1000))]);
  });

  const samples: number[] = [];
  let on = (await client.get<Pod>(pods, { namespace: "default", name: "mover" })).metadata.labels?.["app"] === "moving";
  for (let change = 0; change < CHANGES; change++) {
    on = !on;
    expected = on ? "add" : "delete";
    let kernel = 0;
    const once = new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`change ${change} did not reach the kernel within 10 s`)),
        10_000,
      );
      seen = () => {
        kernel = performance.now();
        clearTimeout(timer);
        resolve();
      };
    });
    await client.patch(pods, { namespace: "default", name: "mover" }, "merge", {
      metadata: { labels: { app: on ? "moving" : "off" } },
    });
    const answered = performance.now();
    await once;
    samples.push(Math.max(0, kernel - answered));
  }
  console.log(`API answer → kernel, ${SERVICES} Services: ${inMilliseconds(samples)}`);
  monitor.kill();

  await host.check("nft", ["-f", "-"], {
    input: "table ip rival {\n map m {\n type ipv4_addr . inet_service : ipv4_addr . inet_service\n }\n}\n",
  });
  const rival: number[] = [];
  for (let change = 0; change < CHANGES; change++) {
    const began = performance.now();
    const verb = change % 2 === 0 ? "add" : "delete";
    await host.check("nft", ["-f", "-"], {
      input: `${verb} element ip rival m { 10.96.0.9 . 80 : 10.244.0.9 . 8080 }\n`,
    });
    rival.push(performance.now() - began);
  }
  await host.check("nft", ["delete", "table", "ip", "rival"]);
  console.log(`rival, only its last step: one spawned 'nft -f -' for one element: ${inMilliseconds(rival)}`);
  console.log("rival: kube-proxy: not measured (no prebuilt one can be had here)");
  client.close();
  await fairlead.end();
} finally {
  await lab.close();
}
