import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Pod, Service } from "../../src/api/generated/types.ts";
import { pods } from "../../src/api/resources.ts";
import { withClient } from "../lab/inside.ts";
import { bringUp, type Fairlead } from "../lab/fairlead.ts";
import { CHECKOUT, createLab, ROOT, type Lab, type LabHost } from "../lab/lab.ts";
import { until } from "../lab/until.ts";
import { askFromPod, isReadyInSlices, listed, untilAvailable, urlsOf } from "./trying.ts";

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

async function tryOut(manifest: Manifest, fairlead: Fairlead, say: (text: string) => void): Promise<void> {
  const began = performance.now();
  const refused = fairlead.events.filter(({ event }) => event === "refused");
  assert.deepEqual(refused, [], "every object is accepted");
  await withClient(fairlead.data, async (client) => {
    const available = await untilAvailable(client);
    say(`${available.length} Deployments available after ${((performance.now() - began) / 1000).toFixed(1)} s`);
    assert.equal(available.length, manifest.deployments);

    const services = await listed<Service>(client, "services");
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
