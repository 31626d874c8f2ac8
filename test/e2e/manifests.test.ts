import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Pod } from "../../src/api/generated/types.ts";
import { pods } from "../../src/api/resources.ts";
import { endAll, processesOf, withClient } from "../lab/inside.ts";
import { bringUp, FAIRLEAD, type Fairlead } from "../lab/fairlead.ts";
import { CHECKOUT, createLab, ROOT, type Lab, type LabHost } from "../lab/lab.ts";
import { differences, traces } from "../lab/traces.ts";
import { until } from "../lab/until.ts";
import { askFromPod, isReadyInSlices, servicesOf, untilAvailable, urlsOf } from "./trying.ts";

/** Where published manifests may lie beside a checkout, unchanged; they are others' work and no part of it. */
const PUBLISHED = ["../shared/manifests", "../../shared/manifests"].map((path) => join(ROOT, path)).find(existsSync);

interface Manifest {
  readonly name: string;
  readonly file: string | undefined;
  readonly deployments: number;
  /** A Service in front of several pods. */
  readonly service: string;
  readonly flags?: readonly string[];
  readonly ordinary?: boolean;
}

const MANIFESTS: readonly Manifest[] = [
  { name: "our own shop", file: `${CHECKOUT}/examples/simulated/shop.yaml`, deployments: 2, service: "stock" },
  {
    name: "our own shop, without root",
    file: `${CHECKOUT}/examples/simulated/shop.yaml`,
    deployments: 2,
    service: "stock",
    ordinary: true,
  },
  {
    name: "the guestbook of kubernetes/examples",
    file: PUBLISHED && join(PUBLISHED, "guestbook-all-in-one.yaml"),
    deployments: 3,
    service: "frontend",
  },
  {
    name: "the Online Boutique",
    file: PUBLISHED && join(PUBLISHED, "online-boutique.yaml"),
    deployments: 12,
    service: "cartservice",
  },
];

/** Published manifests, unchanged, with `--runtime simulated`. */
describe("a manifest without its images", () => {
  let lab: Lab;
  let host: LabHost;
  before(async () => {
    lab = await createLab();
    host = await lab.add("h1");
  });
  after(() => lab.close());

  for (const manifest of MANIFESTS) {
    const { name, file } = manifest;
    const skip = file === undefined ? "the folder shared/manifests is not beside this checkout" : false;
    test(
      `${name}: all Deployments become available, every Service answers by name and address, readiness follows its annotation`,
      { skip, timeout: 400_000 },
      async (context) => {
        const fairlead = await bringUp(host, {
          flags: ["--private", "--runtime", "simulated"],
          files: [file!],
          ordinary: manifest.ordinary === true,
        });
        try {
          await tryOut(manifest, fairlead, (said) => context.diagnostic(said));
        } finally {
          await fairlead.end();
        }
      },
    );
  }
});

/** A host site, whose network is the host's own: what simulated pods have there must go. */
describe("of simulated pods nothing is left", () => {
  let lab: Lab;
  let host: LabHost;
  before(async () => {
    lab = await createLab();
    host = await lab.add("h1");
  });
  after(() => lab.close());

  const start = (): Promise<Fairlead> =>
    bringUp(host, { flags: ["--runtime", "simulated"], files: [`${CHECKOUT}/examples/simulated/shop.yaml`] });

  test("by Ctrl-C", { timeout: 200_000 }, async () => {
    const clean = await traces(host);
    const fairlead = await start();
    await withClient(fairlead.data, untilAvailable);
    assert.match((await host.check("ip", ["-o", "link"])).stdout, /flshared/);
    assert.equal(await fairlead.end("SIGINT"), 0, fairlead.complaints());
    assert.deepEqual(differences(clean, await traces(host)), []);
  });

  test(
    "by 'fairlead down' after every process of it was killed; a start in between has all its pods answer again",
    { timeout: 300_000 },
    async () => {
      const clean = await traces(host);
      const first = await start();
      await withClient(first.data, untilAvailable);
      const podsOf = async (): Promise<Record<string, unknown>> =>
        withClient(first.data, async (client) =>
          Object.fromEntries(
            (await client.list<Pod>(pods, { namespace: "default" })).items.map(({ metadata, status }) => [
              metadata.name,
              { ip: status?.podIP, restarts: status?.containerStatuses?.map(({ restartCount }) => restartCount) },
            ]),
          ),
        );
      const known = await podsOf();
      await endAll(await processesOf(first), "SIGKILL");
      const second = await bringUp(host, { flags: ["--runtime", "simulated"], data: first.data });
      for (const [name, pod] of Object.entries(known)) {
        const { ip } = pod as { ip: string };
        const port = name.startsWith("front") ? 8080 : 50_051;
        await until(`${name} to answer`, async () => {
          return (await host.run("curl", ["-s", `http://${ip}:${port}/hostname`])).stdout === name;
        });
      }
      assert.deepEqual(await podsOf(), known);
      await endAll(await processesOf(second), "SIGKILL");
      await host.check(FAIRLEAD, ["down", "--data", first.data], { timeout: 120_000 });
      assert.deepEqual(differences(clean, await traces(host)), []);
    },
  );
});

async function tryOut(manifest: Manifest, fairlead: Fairlead, say: (text: string) => void): Promise<void> {
  const began = performance.now();
  const refused = fairlead.events.filter(({ event }) => event === "refused");
  assert.deepEqual(refused, [], "every object is accepted");
  await withClient(fairlead.data, async (client) => {
    const available = await untilAvailable(client);
    say(`${available.length} Deployments available after ${((performance.now() - began) / 1000).toFixed(1)} s`);
    assert.equal(available.length, manifest.deployments);

    const services = await servicesOf(client);
    const urls = urlsOf(services);
    const answers = await askFromPod(client, fairlead.data, "client", urls);
    assert.ok(urls.length >= 4, `${urls.length} URLs`);
    const all = (await client.list<Pod>(pods, { namespace: "default" })).items;
    for (const url of urls) {
      const service = services.find(({ metadata, spec }) =>
        [metadata.name, spec?.clusterIP].includes(new URL(url).hostname),
      );
      const selected = all.filter(({ metadata }) =>
        Object.entries(service?.spec?.selector ?? {}).every(([key, value]) => metadata.labels?.[key] === value),
      );
      const names = selected.map((pod) => pod.metadata.name);
      assert.ok(names.includes(answers[url]), `${url} answered ${answers[url]}; its pods are ${names.join(", ")}`);
    }
    assert.deepEqual(
      all
        .filter(({ status }) => (status?.containerStatuses?.[0]?.restartCount ?? 0) > 0)
        .map(({ metadata }) => metadata.name),
      [],
    );

    const selector = services.find(({ metadata }) => metadata.name === manifest.service)?.spec?.selector ?? {};
    const labelSelector = Object.entries(selector)
      .map(([key, value]) => `${key}=${value}`)
      .join(",");
    const [pod] = (await client.list<Pod>(pods, { namespace: "default", labelSelector })).items;
    const podName = pod!.metadata.name ?? "";
    for (const ready of ["false", "true"]) {
      const annotations = { "fairlead.dev/ready": ready };
      await client.patch<Pod>(pods, { namespace: "default", name: podName }, "merge", { metadata: { annotations } });
      await until(`${podName} to be ready: ${ready}`, async () => {
        return String(await isReadyInSlices(client, manifest.service, podName)) === ready;
      });
    }
  });
}
