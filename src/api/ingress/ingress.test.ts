import assert from "node:assert/strict";
import { test } from "node:test";
import type { Ingress, IngressSpec } from "../generated/types.ts";
import { ingress } from "./ingress.ts";

const of = (spec: IngressSpec): Ingress => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "Ingress",
  metadata: { name: "i", namespace: "default", uid: "u" },
  spec,
});
const faultsOf = (next: IngressSpec, previous?: IngressSpec): string[] =>
  ingress.validate(of(next), previous && of(previous)).map(({ field }) => field);

const backend = { service: { name: "web", port: { number: 80 } } };
const secret = (secretName: string): IngressSpec => ({ defaultBackend: backend, tls: [{ secretName }] });
const bad = { http: { paths: [{ path: "a", pathType: "Exact", backend }] } };

void test("SVC-295: a bad name of a Secret that was stored once lets bad names pass, on update alone", () => {
  assert.deepEqual(faultsOf(secret("A_")), ["spec.tls[0].secretName"]);
  assert.deepEqual(faultsOf(secret("A_"), secret("a")), ["spec.tls[0].secretName"]);
  assert.deepEqual(faultsOf(secret("A_"), secret("A_")), []);
  assert.deepEqual(faultsOf(secret("B_"), secret("A_")), []);
  assert.deepEqual(faultsOf({ ...secret("B_"), tls: [{ secretName: "B_", hosts: ["C"] }] }, secret("A_")), [
    "spec.tls[0].hosts[0]",
  ]);
});

void test("bad paths of wildcard hosts that were stored once stay good, those of other hosts do not", () => {
  const wild = { rules: [{ host: "*.example", ...bad }] };
  const plain = { rules: [{ host: "a.example", ...bad }] };
  const path = "spec.rules[0].http.paths[0].path";
  assert.deepEqual(faultsOf(wild), [path]);
  assert.deepEqual(faultsOf(wild, { rules: [{ host: "*.example" }] }), [path]);
  assert.deepEqual(faultsOf(wild, wild), []);
  assert.deepEqual(faultsOf(plain, wild), [path]);
  assert.deepEqual(faultsOf(plain, plain), [path]);
});

void test("SVC-298: an address that was stored in a doubtful form is not judged again", () => {
  const entry = (ip: string): Ingress => ({
    ...of({ defaultBackend: backend }),
    status: { loadBalancer: { ingress: [{ ip }] } },
  });
  const fields = (next: string, previous: string): string[] =>
    ingress.validateStatus!(entry(next), entry(previous)).map(({ field }) => field);
  assert.deepEqual(fields("192.0.02.1", "192.0.2.1"), ["status.loadBalancer.ingress[0].ip"]);
  assert.deepEqual(fields("192.0.02.1", "192.0.02.1"), []);
});
