import assert from "node:assert/strict";
import { test } from "node:test";
import type { Endpoints, Service } from "../../api/generated/types.ts";
import type { PodExample } from "../../../test/controllers/examples.ts";
import { pod, service } from "../../../test/controllers/examples.ts";
import type { EndpointsInput } from "./decide.ts";
import { decideEndpoints } from "./decide.ts";

const made = (input: Partial<EndpointsInput>): Endpoints => {
  const change = decideEndpoints({ service: service(), pods: [], existing: undefined, ...input });
  assert.notEqual(change.action, "none");
  return (change as { endpoints: Endpoints }).endpoints;
};
const ips = (endpoints: Endpoints) =>
  (endpoints.subsets ?? []).map(({ addresses, notReadyAddresses, ports }) => [
    (addresses ?? []).map(({ ip }) => ip).join(),
    (notReadyAddresses ?? []).map(({ ip }) => ip).join(),
    (ports ?? []).map(({ port }) => port).join(),
  ]);

for (const [id, example, publishNotReadyAddresses, expected] of [
  ["CTL-015, CTL-016", { ready: true }, false, [["10.244.0.1", "", "8080"]]],
  ["CTL-015, CTL-017", { ready: false }, false, [["", "10.244.0.1", "8080"]]],
  ["CTL-018, CTL-005", { ready: true, deleting: true }, false, []],
  ["CTL-019", { ready: false, deleting: true }, false, []],
  ["CTL-015, CTL-020", { ready: false }, true, [["10.244.0.1", "", "8080"]]],
  ["CTL-021", { ready: false, deleting: true }, true, [["10.244.0.1", "", "8080"]]],
  ["CTL-022", { phase: "Succeeded" }, true, []],
  ["CTL-004, CTL-022", { phase: "Failed" }, false, []],
  ["CTL-004", { ready: true, ips: [] }, true, []],
  ["CTL-004", { ready: true, spec: { nodeName: "unknown" } }, false, [["10.244.0.1", "", "8080"]]],
] as [string, PodExample, boolean, string[][]][]) {
  test(`${id}: Endpoints of ${JSON.stringify(example)} with publishNotReadyAddresses ${publishNotReadyAddresses}`, () => {
    assert.deepEqual(
      ips(made({ service: service({ publishNotReadyAddresses }), pods: [pod("a", example)] })),
      expected,
    );
  });
}

test("CTL-056, CTL-057, CTL-059, CTL-070: the whole object; only the primary family", () => {
  const headless = service({ clusterIP: "None", ipFamilies: ["IPv6", "IPv4"] }, { labels: { team: "x" } });
  const pods = [pod("a", { ready: true, ips: ["10.0.0.1", "fd00::1"], spec: { hostname: "one", subdomain: "web" } })];
  assert.deepEqual(made({ service: headless, pods, triggerTime: "2026-01-01T00:00:00.000Z" }), {
    apiVersion: "v1",
    kind: "Endpoints",
    metadata: {
      name: "web",
      namespace: "shop",
      labels: {
        team: "x",
        "endpoints.kubernetes.io/managed-by": "endpoint-controller",
        "service.kubernetes.io/headless": "",
      },
      annotations: { "endpoints.kubernetes.io/last-change-trigger-time": "2026-01-01T00:00:00.000Z" },
    },
    subsets: [
      {
        addresses: [
          {
            ip: "fd00::1",
            hostname: "one",
            nodeName: "node-1",
            targetRef: { kind: "Pod", namespace: "shop", name: "a", uid: "uid-a" },
          },
        ],
        ports: [{ name: "http", port: 8080, protocol: "TCP" }],
      },
    ],
  });
});

test("CTL-058: ports with the same addresses share a subset, all sorted", () => {
  const ports: NonNullable<Service["spec"]>["ports"] = [
    { name: "b", port: 2 },
    { name: "a", port: 1 },
    { name: "n", port: 3, targetPort: "web" },
  ];
  const withName = { containers: [{ name: "c", ports: [{ name: "web", containerPort: 9 }] }] };
  const pods = [pod("bb", { ready: true }), pod("a", { ready: true, spec: withName })];
  assert.deepEqual(ips(made({ service: service({ ports }), pods })), [
    ["10.244.0.1", "", "9"],
    ["10.244.0.1,10.244.0.2", "", "1,2"],
  ]);
});

test("CTL-060: over 1000 addresses are cut, ready ones kept first, and the cut is said until it is over", () => {
  const pods = Array.from({ length: 1100 }, (_, index) =>
    pod(`p${index}`, { ready: index % 2 === 0, ips: [`10.1.${index >> 8}.${index & 255}`] }),
  );
  const existing = made({ pods });
  assert.equal(existing.metadata.annotations?.["endpoints.kubernetes.io/over-capacity"], "truncated");
  assert.deepEqual(
    existing.subsets?.map(({ addresses, notReadyAddresses }) => [addresses?.length, notReadyAddresses?.length]),
    [[550, 450]],
  );
  assert.equal(decideEndpoints({ service: service(), pods, existing }).action, "none");
  assert.equal(made({ pods: pods.slice(0, 900), existing }).metadata.annotations, undefined);
});

test("CTL-061, CTL-063, CTL-064: no pods give an object without subsets; nothing changed gives no write, the time alone neither", () => {
  const existing = made({});
  assert.equal(existing.subsets, undefined);
  assert.equal(decideEndpoints({ service: service(), pods: [], existing, triggerTime: "x" }).action, "none");
});

test("CTL-062: a headless Service without ports has one subset without ports", () => {
  const headless = service({ clusterIP: "None", ports: undefined });
  assert.deepEqual(ips(made({ service: headless, pods: [pod("a", { ready: true })] })), [["10.244.0.1", "", ""]]);
});

test("CTL-001, CTL-067: what users wrote is taken over when there is a selector, and left alone when there is none", () => {
  const existing: Endpoints = {
    apiVersion: "v1",
    kind: "Endpoints",
    metadata: { name: "web", namespace: "shop", resourceVersion: "7" },
    subsets: [{ addresses: [{ ip: "192.0.2.1" }] }],
  };
  assert.equal(made({ existing }).metadata.resourceVersion, "7");
  assert.deepEqual(ips(made({ existing })), []);
  for (const spec of [{ selector: undefined }, { type: "ExternalName" }]) {
    assert.equal(decideEndpoints({ service: service(spec), pods: [], existing }).action, "none");
  }
});

test("CTL-064: the time of the trigger is written with a change, and taken away by one without it", () => {
  const TRIGGER = "endpoints.kubernetes.io/last-change-trigger-time";
  const existing = made({ triggerTime: "2026-01-01T00:00:00.000Z" });
  assert.equal(existing.metadata.annotations?.[TRIGGER], "2026-01-01T00:00:00.000Z");
  assert.equal(made({ existing, pods: [pod("a", { ready: true })] }).metadata.annotations, undefined);
});

test("CTL-057: the headless label goes when the Service has an address", () => {
  const existing = made({ service: service({ clusterIP: "None" }) });
  assert.equal(existing.metadata.labels?.["service.kubernetes.io/headless"], "");
  assert.deepEqual(made({ existing }).metadata.labels, { "endpoints.kubernetes.io/managed-by": "endpoint-controller" });
  const lie = service({}, { labels: { "service.kubernetes.io/headless": "" } });
  assert.deepEqual(made({ existing, service: lie }).metadata.labels, {
    "endpoints.kubernetes.io/managed-by": "endpoint-controller",
  });
});

test("CTL-056: a Service of two families has the addresses of the first alone", () => {
  const pods = [pod("a", { ready: true, ips: ["10.0.0.1", "fd00::1"] }), pod("b", { ready: true, ips: ["10.0.0.2"] })];
  const dual = (ipFamilies: string[]) => ips(made({ service: service({ ipFamilies }), pods }));
  assert.deepEqual(dual(["IPv4", "IPv6"]), [["10.0.0.1,10.0.0.2", "", "8080"]]);
  assert.deepEqual(dual(["IPv6", "IPv4"]), [["fd00::1", "", "8080"]]);
  const older = service({ ipFamilies: undefined, clusterIP: "fd00::9" });
  assert.deepEqual(ips(made({ service: older, pods })), [["fd00::1", "", "8080"]]);
});
