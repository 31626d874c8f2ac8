import assert from "node:assert/strict";
import { test } from "node:test";
import { pod, service } from "../../../test/controllers/examples.ts";
import { applied, decide, fresh, only } from "../../../test/controllers/slices.ts";

test("CTL-012, CTL-023, CTL-024, CTL-025, CTL-026, CTL-029: the whole of an endpoint", () => {
  const { endpoints } = only(fresh({ pods: [pod("a", { ready: true, ips: ["10.244.0.7"] })] }));
  assert.deepEqual(endpoints, [
    {
      addresses: ["10.244.0.7"],
      conditions: { ready: true, serving: true, terminating: false },
      nodeName: "node-1",
      zone: "a",
      targetRef: { kind: "Pod", namespace: "shop", name: "a", uid: "uid-a" },
    },
  ]);
});

test("CTL-012: all three conditions are written, also of a pod that says nothing of itself", () => {
  const { endpoints } = only(fresh({ pods: [pod("a")] }));
  assert.deepEqual(Object.keys(endpoints?.[0]?.conditions ?? {}), ["ready", "serving", "terminating"]);
});

test("CTL-026: an endpoint on a node without a zone has none", () => {
  const { endpoints } = only(fresh({ pods: [pod("a", { spec: { nodeName: "node-2" } })] }));
  assert.equal(endpoints?.[0]?.nodeName, "node-2");
  assert.ok(!("zone" in endpoints[0]));
});

test("CTL-023, CTL-035: two families have slices of their own, with canonical addresses; a pod without the family is left out", () => {
  const slices = fresh({
    service: service({ ipFamilies: ["IPv4", "IPv6"] }),
    pods: [pod("a", { ips: ["010.244.000.1", "FD00:0::1"] }), pod("b", { ips: ["10.244.0.2"] })],
  });
  assert.deepEqual(
    slices.map(({ addressType, endpoints }) => [addressType, endpoints?.flatMap(({ addresses }) => addresses)]),
    [
      ["IPv4", ["10.244.0.1", "10.244.0.2"]],
      ["IPv6", ["fd00::1"]],
    ],
  );
});

test("CTL-035: slices of a family that is no longer listed are deleted", () => {
  const pods = [pod("a", { ips: ["10.244.0.1", "fd00::1"] })];
  const existing = applied([], decide({ service: service({ ipFamilies: ["IPv4", "IPv6"] }), pods }));
  const changes = decide({ pods, existing });
  assert.deepEqual(only(changes.delete).addressType, "IPv6");
  assert.deepEqual([changes.create, changes.update], [[], []]);
});

for (const [hostname, subdomain, expected] of [
  ["one", "web", "one"],
  ["one", "other", undefined],
  ["one", undefined, undefined],
  [undefined, "web", undefined],
] as const) {
  test(`CTL-027, DNS-090, DNS-091: hostname ${hostname} and subdomain ${subdomain} give ${expected}`, () => {
    const { endpoints } = only(fresh({ pods: [pod("a", { spec: { hostname, subdomain } })] }));
    assert.equal(endpoints?.[0]?.hostname, expected);
  });
}

test("CTL-027, DNS-090: the subdomain of another namespace's Service is none of this one's", () => {
  const elsewhere = service({}, { namespace: "elsewhere" });
  const { endpoints } = only(
    fresh({ service: elsewhere, pods: [pod("a", { spec: { hostname: "one", subdomain: "web" } })] }),
  );
  assert.equal(endpoints?.[0]?.hostname, undefined);
});

test("CTL-006: pods on their node's own address are endpoints each, and part where their ports do", () => {
  const at = (name: string, containerPort: number) =>
    pod(name, {
      ready: true,
      ips: ["192.0.2.1"],
      spec: { hostNetwork: true, containers: [{ name: "c", ports: [{ name: "web", containerPort }] }] },
    });
  const named = service({ ports: [{ name: "x", port: 80, targetPort: "web" }] });
  const slices = fresh({ service: named, pods: [at("a", 1), at("b", 2), at("c", 1)] });
  assert.deepEqual(
    slices.map(({ ports, endpoints }) => [
      ports?.[0]?.port,
      endpoints?.map(({ addresses, targetRef }) => `${targetRef?.name} ${addresses.join()}`),
    ]),
    [
      [1, ["a 192.0.2.1", "c 192.0.2.1"]],
      [2, ["b 192.0.2.1"]],
    ],
  );
});
