import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import type { EndpointSlice, Service, ServiceSpec } from "../../api/generated/types.ts";
import { pod, service, slice } from "../../../test/ingress/plan-examples.ts";
import { endpointsOf } from "./endpoints.ts";

const ENDING = { ready: false, serving: true, terminating: true };

/** `pod-1`, `pod-2 draining`, `pod-3 *10` of weight 10. */
const shown = (
  slices: readonly EndpointSlice[],
  spec: ServiceSpec = {},
  of: Service = service("web", spec),
): string[] =>
  endpointsOf(of, "http", slices, () => []).map(
    ({ key, state, weight }) => `${key}${state === "draining" ? " draining" : weight === 100 ? "" : ` *${weight}`}`,
  );

const weighed = (shares: object, ...numbers: readonly number[]): EndpointSlice =>
  slice(
    numbers.map((number) => pod(number)),
    { metadata: { annotations: { "fairlead.dev/endpoints": JSON.stringify(shares) } } },
  );

test("pods that are ready serve, those that end are draining, and those that do neither are left out", () => {
  const all = slice([
    pod(3, { ready: false, serving: false }),
    pod(2, ENDING),
    pod(4, { ready: false, serving: false, terminating: true }),
    pod(1),
    pod(5, {}),
  ]);
  deepEqual(shown([all]), ["pod-1", "pod-2 draining", "pod-5"]);
});

test("a pod that ends is draining though its Service publishes what is not ready", () => {
  const all = slice([pod(1), pod(2, { ready: true, serving: true, terminating: true })]);
  deepEqual(shown([all], { publishNotReadyAddresses: true }), ["pod-1", "pod-2 draining"]);
});

test("where nobody is ready, pods that end and still serve stand in", () => {
  deepEqual(shown([slice([pod(1, ENDING), pod(2, { ready: false, serving: false })])]), ["pod-1"]);
});

test("a pod is one endpoint, in the first family of its Service where it has that", () => {
  const six = slice(
    [
      { ...pod(1), addresses: ["fd00::1"] },
      { ...pod(2), addresses: ["fd00::2"] },
    ],
    { name: "web-6", addressType: "IPv6" },
  );
  const addresses = (families: string[]): string[] =>
    endpointsOf(service("web", { ipFamilies: families }), "http", [slice([pod(1)]), six], () => []).map(
      ({ address }) => address,
    );
  deepEqual(addresses(["IPv4", "IPv6"]), ["10.244.0.1", "fd00::2"]);
  deepEqual(addresses(["IPv6", "IPv4"]), ["fd00::1", "fd00::2"]);
});

test("a pod in two slices counts as what serves", () => {
  deepEqual(shown([slice([pod(1, ENDING)]), slice([pod(1)], { name: "web-2" })]), ["pod-1"]);
});

test("endpoints without a pod are told apart by address and port", () => {
  const all = slice([
    { addresses: ["192.0.2.1"] },
    { addresses: ["192.0.2.2"], targetRef: { kind: "Node", uid: "n" } },
  ]);
  deepEqual(shown([all]), ["192.0.2.1:8080", "192.0.2.2:8080"]);
});

test("ports are joined by name, and what is no address or another Service's slice is left out", () => {
  const named = (name: string) => slice([pod(1)], { ports: [{ name, port: 1 }] });
  deepEqual(shown([named("other")]), []);
  deepEqual(shown([slice([pod(1)], { ports: [{ name: "http", port: 1, protocol: "UDP" }] })]), []);
  deepEqual(shown([slice([{ addresses: ["nonsense"] }, { addresses: ["fd00::1"] }])]), []);
  deepEqual(shown([slice([{ addresses: ["a.example"] }], { addressType: "FQDN" })]), []);
  const owned = slice([pod(1)], {
    metadata: { ownerReferences: [{ apiVersion: "v1", kind: "Service", name: "web", uid: "of an earlier one" }] },
  });
  deepEqual(shown([owned]), []);
});

test("weights of pods are theirs, and backups serve when nobody else can", () => {
  deepEqual(shown([weighed({ "web-1": { weight: "10" }, "web-2": { weight: "nonsense" } }, 1, 2)]), [
    "pod-1 *10",
    "pod-2",
  ]);
  deepEqual(shown([weighed({ "web-1": { weight: "0" } }, 1, 2)]), ["pod-1 *0", "pod-2"]);
  deepEqual(shown([weighed({ "web-1": { weight: "0" } }, 1)]), ["pod-1"], "nobody is worse than one of no weight");
  deepEqual(shown([weighed({ "web-1": { backup: "true" } }, 1, 2)]), ["pod-1 *0", "pod-2"]);
  deepEqual(shown([weighed({ "web-1": { backup: "true", weight: "7" } }, 1)]), ["pod-1 *7"]);
});
