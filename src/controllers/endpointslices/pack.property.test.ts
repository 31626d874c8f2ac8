import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { Endpoint, EndpointSlice, Pod, Service } from "../../api/generated/types.ts";
import { pod, service } from "../../../test/controllers/examples.ts";
import { applied, decide, isNothing } from "../../../test/controllers/slices.ts";
import { labelsOf, ownerOf } from "./metadata.ts";

// Packing: any pods, any slices before (also ones that were tampered with), any size of slices.

const anyPod = fc
  .record({ id: fc.nat(40), ready: fc.boolean(), port: fc.constantFrom(1, 2), six: fc.boolean() })
  .map(({ id, ready, port, six }) =>
    pod(`p${id}`, {
      ready,
      ips: [`10.2.0.${id}`, ...(six ? [`fd00::${(id + 1).toString(16)}`] : [])],
      spec: { containers: [{ name: "c", ports: [{ name: "web", containerPort: port }] }] },
    }),
  );
const anyPods = fc.uniqueArray(anyPod, { selector: ({ metadata }) => metadata.name, maxLength: 40 });
const dual: Service = service({ ipFamilies: ["IPv4", "IPv6"], ports: [{ name: "x", port: 80, targetPort: "web" }] });
const tampered = (from: readonly Pod[]): EndpointSlice[] =>
  from.length === 0
    ? []
    : [0, 1].map((index) => ({
        apiVersion: "discovery.k8s.io/v1",
        kind: "EndpointSlice",
        metadata: {
          namespace: "shop",
          name: `tampered-${index}`,
          labels: labelsOf(dual),
          ownerReferences: [ownerOf(dual)],
        },
        addressType: "IPv4",
        ports: [{ name: "x", port: 1, protocol: "TCP" }],
        endpoints: from.map(({ metadata, status }): Endpoint => ({
          addresses: [status?.podIP ?? ""],
          targetRef: { kind: "Pod", namespace: "shop", name: metadata.name, uid: metadata.uid },
        })),
      }));

test("every wanted endpoint is in exactly one slice, none is too full, what need not change is untouched, and deciding again gives nothing", () => {
  fc.assert(
    fc.property(
      fc.array(anyPods, { minLength: 1, maxLength: 4 }),
      anyPods,
      fc.integer({ min: 1, max: 12 }),
      (steps, before, most) => {
        let held = tampered(before);
        for (const pods of steps) {
          const changes = decide({ service: dual, pods, existing: held, most });
          const next = applied(held, changes);
          const touched = new Set(changes.update.map(({ metadata }) => metadata.name));
          for (const slice of next) assert.ok((slice.endpoints ?? []).length <= most, "no slice is too full");
          const found = next.flatMap(({ addressType, endpoints = [] }) =>
            endpoints.map(({ addresses }) => `${addressType} ${addresses.join()}`),
          );
          const wanted = pods.flatMap(({ status }) =>
            (status?.podIPs ?? []).map(({ ip }) => `${ip.includes(":") ? "IPv6" : "IPv4"} ${ip}`),
          );
          assert.deepEqual(found.sort(), wanted.sort());
          for (const slice of held) {
            if (touched.has(slice.metadata.name) || !next.includes(slice)) continue;
            assert.equal(
              next.find(({ metadata }) => metadata.name === slice.metadata.name),
              slice,
            );
          }
          for (const slice of changes.update) {
            const was = held.find(({ metadata }) => metadata.name === slice.metadata.name);
            assert.notDeepEqual({ ...slice, metadata: 0 }, { ...was, metadata: 0 }, "no slice is written as it was");
          }
          isNothing(decide({ service: dual, pods, existing: next, most }));
          isNothing(decide({ service: dual, pods: pods.toReversed(), existing: next.toReversed(), most }));
          held = next;
        }
      },
    ),
    { numRuns: 300 },
  );
});

test("an endpoint that stays wanted stays in its slice", () => {
  fc.assert(
    fc.property(anyPods, anyPods, fc.integer({ min: 2, max: 12 }), (first, second, most) => {
      const held = applied([], decide({ service: dual, pods: first, existing: [], most }));
      const next = applied(held, decide({ service: dual, pods: second, existing: held, most }));
      const place = (slices: readonly EndpointSlice[]): Map<string, string> =>
        new Map(
          slices.flatMap(({ metadata, ports, endpoints = [] }) =>
            endpoints.map(({ addresses }) => [`${addresses.join()} ${ports?.[0]?.port}`, metadata.name ?? ""]),
          ),
        );
      const before = place(held);
      for (const [endpoint, name] of place(next)) {
        if (before.has(endpoint)) assert.equal(name, before.get(endpoint));
      }
    }),
    { numRuns: 200 },
  );
});
