import assert from "node:assert/strict";
import type { Deployment, EndpointSlice, Pod, Service } from "../../src/api/generated/types.ts";
import { deployments, endpointSlices, pods, services } from "../../src/api/resources.ts";
import type { Client } from "../../src/client/client.ts";
import { readThroughApi } from "../lab/inside.ts";
import { until } from "../lab/until.ts";

/** Asks each URL until it answers, and says all answers at the end; run as a pod of this cluster with a program. */
const ASKING = `
  const ask = async (url) => {
    for (let left = 100; ; left -= 1) {
      try {
        return (await (await fetch(url, { signal: AbortSignal.timeout(5000), headers: { connection: "close" } })).text()).trim();
      } catch (error) {
        if (left === 0) return "failed: " + (error.cause ?? error).message;
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    }
  };
  const urls = JSON.parse(process.env.URLS);
  Promise.all(urls.map(async (url) => [url, await ask(url)])).then((all) => console.log(JSON.stringify(Object.fromEntries(all))));
`;

/** What each URL answers to a pod with a program, asked by name and address from inside the cluster. */
export async function askFromPod(
  client: Client,
  data: string,
  name: string,
  urls: readonly string[],
): Promise<Record<string, string>> {
  await client.create<Pod>(pods, {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "default" },
    spec: {
      runtimeClassName: "process",
      restartPolicy: "Never",
      containers: [
        { name: "ask", command: ["node", "-e", ASKING], env: [{ name: "URLS", value: JSON.stringify(urls) }] },
      ],
    },
  });
  const ended = await until(
    `pod ${name} to have asked`,
    async () => {
      const pod = await client.get<Pod>(pods, { namespace: "default", name });
      return /Succeeded|Failed/.test(pod.status?.phase ?? "") && pod;
    },
    { seconds: 120, every: 100 },
  );
  const said = await readThroughApi(data, `/api/v1/namespaces/default/pods/${name}/log`);
  assert.equal(ended.status?.phase, "Succeeded", said);
  return JSON.parse(said.trim()) as Record<string, string>;
}

export const servicesOf = async (client: Client): Promise<readonly Service[]> =>
  (await client.list<Service>(services, { namespace: "default" })).items;

/** Waits until every Deployment says that all its pods are available. */
export const untilAvailable = (client: Client): Promise<Deployment[]> =>
  until(
    "all Deployments to be available",
    async () => {
      const { items: all } = await client.list<Deployment>(deployments, { namespace: "default" });
      const lacking = all.filter(
        ({ spec, status }) =>
          status?.availableReplicas !== (spec?.replicas ?? 1) ||
          status.conditions?.find(({ type }) => type === "Available")?.status !== "True",
      );
      if (lacking.length > 0) throw new Error(lacking.map(({ metadata }) => metadata.name).join(", "));
      return all.length > 0 && all;
    },
    { seconds: 150, every: 200 },
  );

/** Every TCP port of every Service with an address, at its name and at its address. */
export const urlsOf = (all: readonly Service[]): string[] =>
  all
    .filter(({ metadata }) => metadata.name !== "kubernetes")
    .flatMap(({ metadata, spec }) =>
      (spec?.ports ?? [])
        .filter(({ protocol }) => protocol === undefined || protocol === "TCP")
        .flatMap(({ port }) => [metadata.name, spec?.clusterIP].map((host) => `http://${host}:${port}/hostname`)),
    );

/** Whether the slices of a Service call this pod's endpoint ready; undefined when they do not have it. */
export async function isReadyInSlices(client: Client, service: string, pod: string): Promise<boolean | undefined> {
  const { items } = await client.list<EndpointSlice>(endpointSlices, {
    namespace: "default",
    labelSelector: `kubernetes.io/service-name=${service}`,
  });
  return items.flatMap(({ endpoints }) => endpoints ?? []).find(({ targetRef }) => targetRef?.name === pod)?.conditions
    ?.ready;
}
