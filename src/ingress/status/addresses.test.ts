import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import type { IngressLoadBalancerIngress, ServiceSpec } from "../../api/generated/types.ts";
import { service } from "../../../test/ingress/plan-examples.ts";
import { entriesOf, entriesOfService, sameEntries } from "./addresses.ts";

test("CTL-152: addresses are written each once and in order, names as names", () => {
  deepEqual(entriesOf(["fd00::1", "192.0.2.1", "door.example", "192.0.2.1"]), [
    { ip: "192.0.2.1" },
    { hostname: "door.example" },
    { ip: "fd00::1" },
  ]);
});

test("CTL-152: a Service is reached at its load balancer, else at external addresses, else inside", () => {
  const of = (spec: ServiceSpec, ingress: IngressLoadBalancerIngress[] = []) =>
    entriesOfService({ ...service("door", spec), status: { loadBalancer: { ingress } } });
  const type = "LoadBalancer";
  deepEqual(of({ type }, [{ ip: "192.0.2.1" }, { hostname: "door.example" }]), [
    { ip: "192.0.2.1" },
    { hostname: "door.example" },
  ]);
  deepEqual(of({ type, externalIPs: ["192.0.2.9"] }), [{ ip: "192.0.2.9" }]);
  deepEqual(of({ type }), [{ ip: "10.96.0.1" }]);
  deepEqual(of({ clusterIP: "None", clusterIPs: ["None"] }), []);
  deepEqual(of({ type: "ExternalName", externalName: "door.example" }), [{ hostname: "door.example" }]);
  deepEqual(entriesOfService(undefined), []);
});

test("entries are the same that name the same, whatever else is said of them", () => {
  equal(sameEntries([{ ip: "192.0.2.1", ports: [{ port: 80, protocol: "TCP" }] }], [{ ip: "192.0.2.1" }]), true);
  equal(sameEntries([{ ip: "192.0.2.1" }], [{ ip: "192.0.2.2" }]), false);
  equal(sameEntries([{ ip: "192.0.2.1" }], []), false);
});
