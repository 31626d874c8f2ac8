import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { KubeObject, Resource } from "../../src/api/object.ts";
import * as resources from "../../src/api/resources.ts";
import { isApiError } from "../../src/api/status.ts";
import { clientOfDirectory, type Credentials } from "../../src/cli/connection.ts";
import { layoutOf } from "../../src/cli/data/layout.ts";
import type { ListParameters } from "../../src/client/client.ts";
import { bringUp, type Fairlead } from "../lab/fairlead.ts";
import { podNamed } from "../lab/inside.ts";
import { createLab, type Lab } from "../lab/lab.ts";
import { until } from "../lab/until.ts";
import { manifest, service, webPod } from "./fixtures.ts";

let lab: Lab;
let fairlead: Fairlead;
before(async () => {
  lab = await createLab();
  const host = await lab.add("h1");
  const files = [manifest(host, "web.yaml", [service("web", {}), webPod("web-1", { app: "web" })])];
  fairlead = await bringUp(host, { files });
  const isReady = async (): Promise<boolean> =>
    (await podNamed(fairlead.data, "web-1")).status?.conditions?.find(({ type }) => type === "Ready")?.status ===
    "True";
  await until("the pod to be ready", isReady);
  const called = async (): Promise<boolean> =>
    (await fairlead.shell("curl", ["-sf", "-m", "1", "http://web"])).code === 0;
  await until("a call by name", called);
});
after(() => lab.close());

/** What each part may list, and what it may not. */
const rows: [as: Credentials, resource: Resource, where: ListParameters, allowed: boolean][] = [
  ["part-node", resources.services, {}, true],
  ["part-node", resources.pods, {}, false],
  ["part-node", resources.secrets, { namespace: "kube-system" }, false],
  ["part-node", resources.endpointSlices, {}, false],
  ["part-proxy", resources.services, {}, true],
  ["part-proxy", resources.endpointSlices, {}, true],
  ["part-proxy", resources.serviceCIDRs, {}, true],
  ["part-proxy", resources.pods, {}, false],
  ["part-proxy", resources.secrets, {}, false],
  ["part-dns", resources.services, {}, true],
  ["part-dns", resources.endpointSlices, {}, true],
  ["part-dns", resources.namespaces, {}, true],
  ["part-dns", resources.pods, {}, true],
  ["part-dns", resources.configMaps, {}, false],
  ["part-dns", resources.secrets, {}, false],
  ["part-ingress", resources.services, {}, true],
  ["part-ingress", resources.endpointSlices, {}, true],
  ["part-ingress", resources.ingresses, {}, true],
  ["part-ingress", resources.ingressClasses, {}, true],
  ["part-ingress", resources.secrets, {}, true],
  ["part-ingress", resources.configMaps, {}, true],
  ["part-ingress", resources.pods, {}, false],
  ["part-ingress", resources.nodes, {}, false],
  ["part-ingress", resources.namespaces, {}, false],
  ["part-ingress", resources.serviceAccounts, {}, false],
];

for (const [as, resource, where, allowed] of rows) {
  void test(`${as} may ${allowed ? "" : "not "}list ${resource.plural}`, async () => {
    const client = await clientOfDirectory(layoutOf(fairlead.data), "test", as);
    try {
      const listed = await client.list(resource, where).then(
        () => true,
        (error: unknown) => {
          if (!isApiError(error, "Forbidden")) throw error;
          return false;
        },
      );
      assert.equal(listed, allowed);
    } finally {
      client.close();
    }
  });
}

void test("cluster DNS writes its own Service and slices, and no others", async () => {
  const client = await clientOfDirectory(layoutOf(fairlead.data), "test", "part-dns");
  try {
    const slice = (namespace: string): KubeObject & Record<string, unknown> => ({
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { namespace, name: "x" },
      addressType: "IPv4",
      endpoints: [],
    });
    const dryRun = { dryRun: true };
    await client.create(resources.endpointSlices, slice("kube-system"), dryRun);
    await assert.rejects(client.create(resources.endpointSlices, slice("default"), dryRun), /forbidden/);
    await assert.rejects(client.delete(resources.services, { namespace: "default", name: "web" }), /forbidden/);
  } finally {
    client.close();
  }
});

void test("Ingress makes Secrets in kube-system alone, and deletes nothing", async () => {
  const client = await clientOfDirectory(layoutOf(fairlead.data), "test", "part-ingress");
  try {
    await assert.rejects(client.delete(resources.secrets, { namespace: "kube-system", name: "x" }), /forbidden/);
    await assert.rejects(client.delete(resources.ingresses, { namespace: "default", name: "web" }), /forbidden/);
    const secret = { apiVersion: "v1", kind: "Secret", metadata: { namespace: "default", name: "x" } };
    await assert.rejects(client.create(resources.secrets, secret, { dryRun: true }), /forbidden/);
    await client.create(
      resources.secrets,
      { ...secret, metadata: { namespace: "kube-system", name: "x" } },
      { dryRun: true },
    );
  } finally {
    client.close();
  }
});

void test("no part asked for what it may not have", () => {
  const { logs } = layoutOf(fairlead.data);
  const files = readdirSync(logs).filter((name) => name.endsWith(".log"));
  assert.ok(files.length >= 4, files.join());
  for (const file of files) assert.doesNotMatch(readFileSync(join(logs, file), "utf8"), /forbidden/i, file);
});
