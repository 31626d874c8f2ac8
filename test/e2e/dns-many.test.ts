import assert from "node:assert/strict";
import { test } from "node:test";
import type { Service } from "../../src/api/generated/types.ts";
import { services } from "../../src/api/resources.ts";
import { until } from "../lab/until.ts";
import { clientPod } from "./calling/callers.ts";
import { startNaming } from "./naming/naming.ts";
import { NS } from "./serving.ts";

const COUNT = 10_000;
const AT_ONCE = 100;
const ZONE = "cluster.local";

test(`DNS-144: with ${COUNT} Services a pod resolves the first, the last and any other, and learns of one more at once`, async (context) => {
  const naming = await startNaming({}, clientPod("client", NS, { enableServiceLinks: false }));
  try {
    const asker = await naming.askerIn("client");
    const write = (name: string): Promise<Service> =>
      naming.client.create<Service>(services, {
        apiVersion: "v1",
        kind: "Service",
        metadata: { name, namespace: NS },
        spec: { ports: [{ name: "http", port: 80 }] },
      });
    const began = performance.now();
    const addresses = new Map<string, string>();
    for (let from = 0; from < COUNT; from += AT_ONCE) {
      const names = Array.from({ length: AT_ONCE }, (_, index) => `service-${from + index}`);
      const made = await Promise.all(names.map(write));
      for (const { metadata, spec } of made) addresses.set(metadata.name!, spec!.clusterIP!);
    }
    context.diagnostic(`${COUNT} Services written in ${Math.round(performance.now() - began)} ms`);
    const asked = ["service-0", `service-${COUNT - 1}`, ...[17, 4711, 8888].map((number) => `service-${number}`)];
    for (const name of asked) {
      const address = addresses.get(name)!;
      await until(`${name} to resolve`, async () => (await asker.addresses(name)).join() === address);
      assert.deepEqual(await asker.dig("+tcp", `${name}.${NS}.svc.${ZONE}`, "A"), [address]);
      assert.deepEqual(await asker.dig("-x", address), [`${name}.${NS}.svc.${ZONE}.`]);
    }
    assert.deepEqual(await asker.addresses(`service-${COUNT}`), []);
    const { spec } = await write(`service-${COUNT}`);
    const made = performance.now();
    await until("one more", async () => (await asker.addresses(`service-${COUNT}`)).join() === spec!.clusterIP);
    context.diagnostic(
      `one more was seen by every resolver ${Math.round(performance.now() - made)} ms after the API's answer`,
    );
  } finally {
    await naming.close();
  }
});
