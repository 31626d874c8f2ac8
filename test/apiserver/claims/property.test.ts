import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { ServiceSpec } from "../../../src/api/generated/types.ts";
import { isApiError } from "../../../src/api/status.ts";
import { canonicalIP } from "../../../src/net/ip.ts";
import { memoryStore } from "../../../src/store/memory/memory.ts";
import { claimed, putServiceCIDR, said, serviceWriter } from "./writer.ts";

const NAMES = ["a", "b", "c", "d", "e", "f"];

const spec: fc.Arbitrary<ServiceSpec> = fc
  .record({
    type: fc.constantFrom("ClusterIP", "NodePort", "LoadBalancer", "ExternalName"),
    policy: fc.constantFrom(undefined, "SingleStack", "PreferDualStack", "RequireDualStack"),
    families: fc.constantFrom<(string[] | undefined)[]>(undefined, undefined, ["IPv4"], ["IPv6"], ["IPv6", "IPv4"]),
    clusterIP: fc.constantFrom(undefined, undefined, undefined, "None", "10.0.0.1", "10.0.0.2", "fd00::3", "10.9.9.9"),
    ports: fc.array(fc.record({ nodePort: fc.constantFrom(0, 0, 31_000, 31_001, 5), udp: fc.boolean() }), {
      minLength: 1,
      maxLength: 3,
    }),
    local: fc.boolean(),
    healthCheck: fc.constantFrom(0, 0, 31_002),
    allocate: fc.constantFrom(undefined, true, false),
  })
  .map(({ type, policy, families, clusterIP, ports, local, healthCheck, allocate }) => ({
    type,
    ...(type === "ExternalName" ? { externalName: "x.example" } : {}),
    ...(policy === undefined || type === "ExternalName" ? {} : { ipFamilyPolicy: policy }),
    ...(families === undefined || type === "ExternalName" ? {} : { ipFamilies: families }),
    ...(clusterIP === undefined || type === "ExternalName" ? {} : { clusterIP }),
    ports: ports.map(({ nodePort, udp }, index) => ({
      name: `p${index}`,
      port: udp ? 53 : 50 + index,
      protocol: udp ? "UDP" : "TCP",
      ...(nodePort === 0 || !(type === "NodePort" || type === "LoadBalancer") ? {} : { nodePort }),
    })),
    ...(type === "LoadBalancer" && local ? { externalTrafficPolicy: "Local" } : {}),
    ...(type === "LoadBalancer" && local && healthCheck > 0 ? { healthCheckNodePort: healthCheck } : {}),
    ...(type === "LoadBalancer" && allocate !== undefined ? { allocateLoadBalancerNodePorts: allocate } : {}),
  }));

const step = fc.record({
  server: fc.constantFrom(0, 1),
  name: fc.constantFrom(...NAMES),
  action: fc.constantFrom("create", "create", "replace", "patch", "remove"),
  spec,
});

void test("SVC-109, SVC-113, SVC-157, SVC-161: two servers at once hand nothing out twice and leak nothing", async () => {
  let written = 0;
  const run = fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 40 }), async (steps) => {
    const store = memoryStore();
    await putServiceCIDR(store, "kubernetes", ["10.0.0.0/29", "fd00::/125"]);
    const range = { nodePortRange: { first: 31_000, last: 31_005 } };
    const servers = [serviceWriter(store, range), serviceWriter(store, range)];
    const one = async ({ server, name, action, spec: wanted }: (typeof steps)[number]): Promise<void> => {
      const writer = servers[server]!;
      try {
        if (action === "create") await writer.create(name, wanted);
        else if (action === "remove") await writer.remove(name);
        else if ((await writer.read(name)) === undefined) return;
        else if (action === "replace") await writer.replace(name, wanted);
        else await writer.update(name, (was) => ({ ...was, ...wanted, ports: was.ports ?? wanted.ports! }));
        written++;
      } catch (error) {
        const isExpected =
          isApiError(error, "Invalid", "InternalError", "Unknown") ||
          / exists$|Cannot read|spread|too often/.test(String(error));
        if (!isExpected) throw error;
      }
    };
    // Four at a time: their reads and writes interleave.
    for (let at = 0; at < steps.length; at += 4) {
      await Promise.all(steps.slice(at, at + 4).map(one));
      const [held, objects] = [await claimed(store), await said(store)];
      const byKey = (a: [string | number, string], b: [string | number, string]): number =>
        String(a[0]) < String(b[0]) ? -1 : 1;
      assert.deepEqual(
        objects.ips.map(([ip, name]): [string, string] => [canonicalIP(ip), name]).sort(byKey),
        [...held.ips].sort(byKey),
      );
      assert.deepEqual(objects.ports.sort(byKey), [...held.ports].sort(byKey));
    }
    for (const name of NAMES) await servers[0]!.remove(name);
    assert.deepEqual(await claimed(store), { ips: new Map(), ports: new Map() });
  });
  await fc.assert(run, { numRuns: 150, interruptAfterTimeLimit: 30_000 });
  assert.ok(written > 500, `only ${written} writes were done: the test tests too little`);
});
