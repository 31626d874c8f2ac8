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

const VARIABLES: [title: string, name: string, value: string][] = [
  ["DNS-145: the address", "A_B_SERVICE_HOST", "1.2.3.4"],
  ["DNS-146: the number of the first port", "A_B_SERVICE_PORT", "53"],
  ["DNS-147: the number of a port by its name", "A_B_SERVICE_PORT_DNS_TCP", "5353"],
  ["DNS-148: the first port as a URL", "A_B_PORT", "udp://1.2.3.4:53"],
  ["DNS-149: each port as a URL", "A_B_PORT_5353_TCP", "tcp://1.2.3.4:5353"],
  ["DNS-150: each port's protocol", "A_B_PORT_53_UDP_PROTO", "udp"],
  ["DNS-151: each port's number", "A_B_PORT_5353_TCP_PORT", "5353"],
  ["DNS-152: each port's address", "A_B_PORT_53_UDP_ADDR", "1.2.3.4"],
];
for (const [title, name, value] of VARIABLES) {
  void test(title, () => {
    const variables = variablesOf(
      service("a-b", "1.2.3.4", [
        { name: "dns", protocol: "UDP", port: 53 },
        { name: "dns-tcp", port: 5353 },
      ]),
    );
    assert.equal(variables[name], value);
    assert.equal(Object.keys(variables).length, 5 + 4 * 2);
  });
}

void test("DNS-174: a name that begins with a digit gives variables that do", () => {
  assert.equal(variablesOf(service("3scale", "1.2.3.4", [{ port: 80 }]))["3SCALE_SERVICE_HOST"], "1.2.3.4");
});

void test("DNS-164, DNS-165: the primary address only, whatever the selector and whether anybody answers", () => {
  const dual = {
    metadata: { name: "dual", namespace: "ns" },
    spec: { clusterIP: "10.96.0.3", clusterIPs: ["10.96.0.3", "fd00::3"], ports: [{ port: 80 }] },
  } as never as Service;
  const variables = serviceVariables([dual], pod());
  assert.equal(variables["DUAL_SERVICE_HOST"], "10.96.0.3");
  assert.ok(!JSON.stringify(variables).includes("fd00"));
  const selecting = { ...dual, spec: { ...dual.spec, selector: { app: "nobody" } } } as Service;
  assert.deepEqual(serviceVariables([selecting], pod()), variables);
});

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

const web = service("web", "10.96.0.2", [{ port: 80 }]);
const all = [kubernetes, web, service("far", "10.96.0.3", [{ port: 80 }], "other")];

void test("DNS-159, DNS-160, DNS-163: the own namespace's Services, and default/kubernetes in every namespace", () => {
  const linked = serviceVariables(all, pod());
  assert.equal(linked["WEB_SERVICE_HOST"], "10.96.0.2");
  assert.equal(linked["FAR_SERVICE_HOST"], undefined);
  const ofKubernetes = Object.keys(linked).filter((name) => name.startsWith("KUBERNETES_"));
  assert.deepEqual(ofKubernetes, [
    "KUBERNETES_SERVICE_HOST",
    "KUBERNETES_SERVICE_PORT",
    "KUBERNETES_SERVICE_PORT_HTTPS",
    "KUBERNETES_PORT",
    "KUBERNETES_PORT_443_TCP",
    "KUBERNETES_PORT_443_TCP_PROTO",
    "KUBERNETES_PORT_443_TCP_PORT",
    "KUBERNETES_PORT_443_TCP_ADDR",
  ]);
});

void test("DNS-160, DNS-162: without links only default/kubernetes is left, in namespace default too", () => {
  const unlinked = { enableServiceLinks: false };
  const inDefault = { ...pod(unlinked), metadata: { name: "p", namespace: "default" } };
  const others = [...all, service("near", "10.96.0.4", [{ port: 80 }], "default")];
  for (const each of [pod(unlinked), inDefault]) {
    const names = Object.keys(serviceVariables(others, each));
    assert.ok(names.every((name) => name.startsWith("KUBERNETES_")));
    assert.equal(names.length, 8);
  }
});

void test("DNS-161: a Service kubernetes of the own namespace replaces the default one, with links", () => {
  const own = service("kubernetes", "10.96.0.9", [{ port: 1 }]);
  for (const order of [
    [own, kubernetes],
    [kubernetes, own],
  ]) {
    const variables = serviceVariables(order, pod());
    assert.equal(variables["KUBERNETES_SERVICE_HOST"], "10.96.0.9");
    assert.equal(variables["KUBERNETES_PORT_443_TCP"], undefined);
    const unlinked = serviceVariables(order, pod({ enableServiceLinks: false }));
    assert.equal(unlinked["KUBERNETES_SERVICE_HOST"], "10.96.0.1");
  }
});

void test("DNS-171: references are replaced, unknown ones stay, doubled signs escape", () => {
  const look = (name: string): string | undefined => (name === "A" ? "1" : undefined);
  assert.equal(expand("$(A) $(B) $$(A) $A $$$(A) $(A", look), "1 $(B) $(A) $A $1 $(A");
});

const MAPS: Record<string, Record<string, Buffer>> = {
  conf: { A: Buffer.from("map"), B: Buffer.from("map") },
  odd: { fine: Buffer.from("1"), "with space": Buffer.from("2"), "a=b": Buffer.from("3"), ü: Buffer.from("4") },
};
const PLACE = {
  nodeName: "n",
  podIPs: ["10.0.0.1", "fd00::1"],
  hostIPs: ["10.0.0.9", "fd00::9"],
  allocatable: { cpu: "2", memory: "4Gi" },
};
const lookups: Lookups = {
  configMap: async (name) => MAPS[name],
  secret: async (name) => (name === "s" ? { K: Buffer.from("secret") } : undefined),
};
const warnings: string[] = [];
const environment = (container: Partial<Container>, of: Pod = pod()): Promise<Record<string, string>> =>
  containerEnvironment({
    pod: of,
    container: { name: "c", ...container },
    place: PLACE,
    serviceVariables: { SVC: "service", A: "service" },
    lookups,
    warn: (reason, message) => void warnings.push(`${reason}: ${message}`),
  });

void test("DNS-170, DNS-172: env over envFrom over service variables; earlier entries before service variables", async () => {
  const env = await environment({
    envFrom: [{ configMapRef: { name: "conf" } }, { prefix: "P_", secretRef: { name: "s" } }],
    env: [
      { name: "B", value: "own" },
      { name: "C", value: "$(B) $(SVC) $(LATER) $(P_K)" },
      { name: "LATER", value: "x" },
      { name: "K", valueFrom: { secretKeyRef: { name: "s", key: "K" } } },
      { name: "NONE", valueFrom: { configMapKeyRef: { name: "conf", key: "Z", optional: true } } },
    ],
  });
  assert.deepEqual(env, {
    SVC: "service",
    A: "map",
    B: "own",
    P_K: "secret",
    C: "own service $(LATER) $(P_K)",
    LATER: "x",
    K: "secret",
  });
});

void test("DNS-176: every field of the downward API", async () => {
  const of = {
    ...pod({ serviceAccountName: "robot" }),
    metadata: {
      name: "p",
      namespace: "ns",
      uid: "u-1",
      labels: { a: "b", "example.com/x": "y" },
      annotations: { "example.com/Note": "n" },
    },
  };
  const fields: Record<string, string> = {
    "metadata.name": "p",
    "metadata.namespace": "ns",
    "metadata.uid": "u-1",
    "metadata.labels['example.com/x']": "y",
    "metadata.annotations['example.com/Note']": "n",
    "metadata.labels['none']": "",
    "spec.nodeName": "n",
    "spec.serviceAccountName": "robot",
    "status.podIP": "10.0.0.1",
    "status.podIPs": "10.0.0.1,fd00::1",
    "status.hostIP": "10.0.0.9",
    "status.hostIPs": "10.0.0.9,fd00::9",
  };
  const names = Object.keys(fields);
  const env = await environment(
    { env: names.map((fieldPath, index) => ({ name: `F${index}`, valueFrom: { fieldRef: { fieldPath } } })) },
    of,
  );
  for (const [index, name] of names.entries()) assert.equal(env[`F${index}`], fields[name], name);
  await assert.rejects(
    environment({ env: [{ name: "X", valueFrom: { fieldRef: { fieldPath: "status.phase" } } }] }),
    new ConfigError("env X: fieldPath status.phase is not supported"),
  );
});

const RESOURCES: [resource: string, divisor: string | undefined, value: string][] = [
  ["limits.cpu", undefined, "1"],
  ["limits.cpu", "1m", "500"],
  ["limits.memory", undefined, "67108864"],
  ["limits.memory", "1Mi", "64"],
  ["limits.memory", "1G", "1"],
  ["requests.cpu", "1m", "250"],
  ["requests.memory", "1Ki", "0"],
  ["limits.ephemeral-storage", "0", "0"],
];
for (const [resource, divisor, value] of RESOURCES) {
  void test(`a container's own ${resource} by ${divisor ?? "nothing"} is ${value}`, async () => {
    const limits = { cpu: "500m", memory: "64Mi" };
    const c = { name: "c", resources: { limits, requests: { cpu: "250m" } } };
    const resourceFieldRef = { resource, ...(divisor === undefined ? {} : { divisor }) };
    const env = await environment(
      { ...c, env: [{ name: "R", valueFrom: { resourceFieldRef } }] },
      pod({ containers: [c] }),
    );
    assert.equal(env["R"], value);
  });
}

void test("a limit that is not set is what the node has; another container's is asked for by its name", async () => {
  const containers = [{ name: "c" }, { name: "d", resources: { limits: { cpu: "3" } } }];
  const env = await environment(
    {
      env: [
        { name: "CPU", valueFrom: { resourceFieldRef: { resource: "limits.cpu" } } },
        { name: "MEMORY", valueFrom: { resourceFieldRef: { resource: "limits.memory", divisor: "1Gi" } } },
        { name: "OTHER", valueFrom: { resourceFieldRef: { resource: "limits.cpu", containerName: "d" } } },
      ],
    },
    pod({ containers }),
  );
  assert.deepEqual([env["CPU"], env["MEMORY"], env["OTHER"]], ["2", "4", "3"]);
  await assert.rejects(
    environment(
      { env: [{ name: "X", valueFrom: { resourceFieldRef: { resource: "limits.gpu" } } }] },
      pod({ containers }),
    ),
    /resource "limits\.gpu" is not supported/,
  );
});

void test("a key that no variable can be named after is left out, and told", async () => {
  warnings.length = 0;
  const env = await environment({ envFrom: [{ prefix: "X_", configMapRef: { name: "odd" } }] });
  assert.deepEqual(env, { SVC: "service", A: "service", X_fine: "1", "X_with space": "2" });
  assert.deepEqual(warnings, [
    "InvalidEnvironmentVariableNames: Keys [X_a=b, X_ü] from the EnvFrom configMap ns/odd were skipped since they are considered invalid environment variable names.",
  ]);
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
