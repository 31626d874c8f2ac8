import assert from "node:assert/strict";
import { test } from "node:test";
import type { Container, Pod, Service } from "../../api/generated/types.ts";
import { containerEnvironment } from "./environment.ts";
import { expand } from "./expand.ts";
import { ConfigError, type Lookups } from "./lookups.ts";
import { serviceVariables, variablesOf } from "./service-variables.ts";

const service = (name: string, clusterIP: string, ports: object[], namespace = "ns", type = "ClusterIP"): Service =>
  ({ metadata: { name, namespace }, spec: { clusterIP, ports, type } }) as never;
const pod = (spec: object = {}): Pod =>
  ({ apiVersion: "v1", kind: "Pod", metadata: { name: "p", namespace: "ns", labels: { a: "b" } }, spec }) as never;
const kubernetes = service("kubernetes", "10.96.0.1", [{ name: "https", port: 443 }], "default");

void test("DNS-153: one unnamed port gives exactly seven variables", () => {
  assert.deepEqual(variablesOf(service("foo-bar", "1.2.3.4", [{ port: 8080 }])), {
    FOO_BAR_SERVICE_HOST: "1.2.3.4",
    FOO_BAR_SERVICE_PORT: "8080",
    FOO_BAR_PORT: "tcp://1.2.3.4:8080",
    FOO_BAR_PORT_8080_TCP: "tcp://1.2.3.4:8080",
    FOO_BAR_PORT_8080_TCP_PROTO: "tcp",
    FOO_BAR_PORT_8080_TCP_PORT: "8080",
    FOO_BAR_PORT_8080_TCP_ADDR: "1.2.3.4",
  });
});

void test("DNS-154, DNS-155: named ports, the first gives the short ones", () => {
  const two = variablesOf(
    service("abc-123", "5.6.7.8", [
      { name: "u-d-p", protocol: "UDP", port: 8081 },
      { name: "t-c-p", protocol: "TCP", port: 8081 },
    ]),
  );
  assert.equal(Object.keys(two).length, 13);
  assert.equal(two["ABC_123_SERVICE_PORT_U_D_P"], "8081");
  assert.equal(two["ABC_123_SERVICE_PORT_T_C_P"], "8081");
  assert.equal(two["ABC_123_PORT"], "udp://5.6.7.8:8081");
  const number = variablesOf(service("q-u-u-x", "9.8.7.6", [{ port: 8082 }, { name: "8083", port: 8083 }]));
  assert.equal(number["Q_U_U_X_SERVICE_PORT_8083"], "8083");
});

void test("DNS-156, DNS-157: IPv6 is kept as written, bracketed in URLs; SCTP", () => {
  const six = variablesOf(service("super-ipv6", "2001:DB8::", [{ protocol: "UDP", port: 8084 }]));
  assert.equal(six["SUPER_IPV6_SERVICE_HOST"], "2001:DB8::");
  assert.equal(six["SUPER_IPV6_PORT_8084_UDP"], "udp://[2001:DB8::]:8084");
  assert.equal(six["SUPER_IPV6_PORT_8084_UDP_ADDR"], "2001:DB8::");
  const sctp = variablesOf(service("sctp-1", "1.2.3.4", [{ protocol: "SCTP", port: 777 }]));
  assert.equal(sctp["SCTP_1_PORT_777_SCTP"], "sctp://1.2.3.4:777");
});

void test("DNS-158: headless Services, those without an address and ExternalName give nothing", () => {
  for (const [address, type] of [
    ["None", "ClusterIP"],
    ["", "ClusterIP"],
    ["1.2.3.4", "ExternalName"],
  ] as const) {
    assert.deepEqual(variablesOf(service("x", address, [{ port: 1 }], "ns", type)), {});
  }
});

void test("DNS-159 … DNS-163: the own namespace's Services, and always default/kubernetes", () => {
  const all = [
    kubernetes,
    service("web", "10.96.0.2", [{ port: 80 }]),
    service("far", "10.96.0.3", [{ port: 80 }], "other"),
  ];
  const linked = serviceVariables(all, pod());
  assert.equal(linked["WEB_SERVICE_HOST"], "10.96.0.2");
  assert.equal(linked["KUBERNETES_SERVICE_PORT_HTTPS"], "443");
  assert.equal(linked["FAR_SERVICE_HOST"], undefined);
  const unlinked = serviceVariables(all, pod({ enableServiceLinks: false }));
  assert.ok(Object.keys(unlinked).every((name) => name.startsWith("KUBERNETES_")));
  assert.equal(Object.keys(unlinked).length, 8);
  const own = service("kubernetes", "10.96.0.9", [{ port: 1 }]);
  for (const order of [
    [own, kubernetes],
    [kubernetes, own],
  ]) {
    const variables = serviceVariables(order, pod());
    assert.equal(variables["KUBERNETES_SERVICE_HOST"], "10.96.0.9");
    assert.equal(variables["KUBERNETES_PORT_443_TCP"], undefined);
  }
});

void test("DNS-171: references are replaced, unknown ones stay, doubled signs escape", () => {
  const look = (name: string): string | undefined => (name === "A" ? "1" : undefined);
  assert.equal(expand("$(A) $(B) $$(A) $A $$$(A) $(A", look), "1 $(B) $(A) $A $1 $(A");
});

const lookups: Lookups = {
  configMap: async (name) => (name === "conf" ? { A: Buffer.from("map"), B: Buffer.from("map") } : undefined),
  secret: async (name) => (name === "s" ? { K: Buffer.from("secret") } : undefined),
};
const environment = (container: Partial<Container>): Promise<Record<string, string>> =>
  containerEnvironment({
    pod: pod(),
    container: { name: "c", ...container },
    place: { nodeName: "n", podIPs: ["10.0.0.1", "fd00::1"], hostIPs: ["10.0.0.9"] },
    hostname: "p",
    path: "/bin",
    serviceVariables: { SVC: "service", A: "service" },
    lookups,
  });

void test("DNS-170, DNS-172, DNS-176: env over envFrom over service variables; earlier entries before service variables", async () => {
  const env = await environment({
    envFrom: [{ configMapRef: { name: "conf" } }, { prefix: "P_", secretRef: { name: "s" } }],
    env: [
      { name: "B", value: "own" },
      { name: "C", value: "$(B) $(SVC) $(LATER)" },
      { name: "LATER", value: "x" },
      { name: "IPS", valueFrom: { fieldRef: { fieldPath: "status.podIPs" } } },
      { name: "LABEL", valueFrom: { fieldRef: { fieldPath: "metadata.labels['a']" } } },
      { name: "K", valueFrom: { secretKeyRef: { name: "s", key: "K" } } },
      { name: "NONE", valueFrom: { configMapKeyRef: { name: "conf", key: "Z", optional: true } } },
    ],
  });
  assert.deepEqual(env, {
    PATH: "/bin",
    HOME: "/",
    HOSTNAME: "p",
    SVC: "service",
    A: "map",
    B: "own",
    P_K: "secret",
    C: "own service $(LATER)",
    LATER: "x",
    IPS: "10.0.0.1,fd00::1",
    LABEL: "b",
    K: "secret",
  });
});

void test("what is named and missing keeps the container from starting, unless it is optional", async () => {
  await assert.rejects(
    environment({ envFrom: [{ configMapRef: { name: "no" } }] }),
    new ConfigError('configmap "no" not found'),
  );
  await assert.rejects(
    environment({ env: [{ name: "X", valueFrom: { secretKeyRef: { name: "s", key: "no" } } }] }),
    /key no in secret ns\/s/,
  );
  assert.equal((await environment({ envFrom: [{ configMapRef: { name: "no", optional: true } }] }))["A"], "service");
});
