import assert from "node:assert/strict";
import { test } from "node:test";
import type { Endpoints, Pod, Service } from "../../api/generated/types.ts";
import { onwardHeaders } from "./headers.ts";
import { seenAddress, seenPage } from "./links.ts";
import { chooseTarget, podTarget, portNameOf, readProxyName } from "./target.ts";

void test("readProxyName: name, port name, port number, scheme, and what is none of these", () => {
  assert.deepEqual(readProxyName("service", "web"), { text: "web", scheme: "http", name: "web", port: "" });
  assert.deepEqual(readProxyName("service", "web:http"), {
    text: "web:http",
    scheme: "http",
    name: "web",
    port: "http",
  });
  assert.deepEqual(readProxyName("service", "web:80"), { text: "web:80", scheme: "http", name: "web", port: "80" });
  assert.deepEqual(readProxyName("service", "https:web:443"), {
    text: "https:web:443",
    scheme: "https",
    name: "web",
    port: "443",
  });
  assert.deepEqual(readProxyName("service", "https:web:"), {
    text: "https:web:",
    scheme: "https",
    name: "web",
    port: "",
  });
  for (const text of ["", ":80", "ftp:web:80", "a:b:c:d", "HTTP:web:80", "https::443"]) {
    assert.throws(() => readProxyName("service", text), { reason: "BadRequest", message: /invalid service request/ });
  }
});

const service = { spec: { ports: [{ name: "http", port: 80 }, { port: 81 }] } } as Service;

void test("portNameOf: a number is one of the Service's ports", () => {
  const asked = (port: string) => ({ text: "", scheme: "http" as const, name: "web", port });
  assert.equal(portNameOf(service, asked("80")), "http");
  assert.equal(portNameOf(service, asked("81")), "");
  assert.equal(portNameOf(service, asked("anything")), "anything");
  assert.throws(() => portNameOf(service, asked("8080")), {
    reason: "ServiceUnavailable",
    message: 'no service port 8080 found for service "web"',
  });
});

const pod = (name: string, ...ips: string[]): Pod =>
  ({ metadata: { name, namespace: "a" }, status: { podIP: ips[0], podIPs: ips.map((ip) => ({ ip })) } }) as Pod;
const ref = (name: string, more: object = {}) => ({ kind: "Pod", namespace: "a", name, ...more });

void test("SVC-207: only addresses that a pod of the namespace has now, behind the port of the name", () => {
  const pods = new Map([
    ["right", pod("right", "10.0.0.1", "fd00::1")],
    ["moved", pod("moved", "10.0.0.9")],
  ]);
  const endpoints = {
    metadata: { namespace: "a" },
    subsets: [
      { addresses: [{ ip: "10.0.0.7", targetRef: ref("right") }], ports: [{ name: "other", port: 1 }] },
      {
        addresses: [
          { ip: "10.0.0.2" },
          { ip: "10.0.0.3", targetRef: ref("moved") },
          { ip: "10.0.0.1", targetRef: ref("right", { namespace: "b" }) },
          { ip: "10.0.0.1", targetRef: ref("right", { kind: "Node" }) },
          { ip: "fd00::1", targetRef: ref("right") },
        ],
        notReadyAddresses: [{ ip: "10.0.0.1", targetRef: ref("right") }],
        ports: [{ name: "http", port: 8080 }],
      },
    ],
  } as Endpoints;
  const asked = { text: "web:http", scheme: "http" as const, name: "web", port: "http" };
  for (const chance of [0, 0.3, 0.5, 0.99]) {
    const { ip, port } = chooseTarget(
      endpoints,
      asked,
      "http",
      (name) => pods.get(name),
      () => chance,
    );
    assert.deepEqual([ip, port], ["fd00::1", 8080]);
  }
  assert.throws(
    () =>
      chooseTarget(
        endpoints,
        asked,
        "",
        (name) => pods.get(name),
        () => 0,
      ),
    {
      reason: "ServiceUnavailable",
      message: 'no endpoints available for service "web:http"',
    },
  );
});

void test("SVC-207: a subset that has the port and an address of it are chosen by chance", () => {
  const all = ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"];
  const addresses = all.map((ip) => ({ ip, targetRef: ref(ip) }));
  const endpoints = {
    metadata: { namespace: "a" },
    subsets: [
      { addresses: addresses.slice(0, 2), ports: [{ port: 1 }] },
      { addresses: addresses.slice(2), ports: [{ port: 2 }] },
      { addresses, ports: [{ name: "other", port: 3 }] },
    ],
  } as Endpoints;
  const asked = { text: "web", scheme: "http" as const, name: "web", port: "" };
  const chosen = (...chances: number[]): string => {
    const { ip, port } = chooseTarget(
      endpoints,
      asked,
      "",
      (name) => pod(name, name),
      () => chances.shift()!,
    );
    return `${ip}:${port}`;
  };
  assert.deepEqual(
    [chosen(0, 0), chosen(0, 0.5), chosen(0.4, 0), chosen(0.4, 0.9), chosen(0.9, 0.5)],
    ["10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:2", "10.0.0.4:2", "10.0.0.2:1"],
  );
});

void test("podTarget: the port said, else the first declared; no address is refused", () => {
  const declared = { ...pod("p", "10.0.0.1"), spec: { containers: [{}, { ports: [{ containerPort: 8080 }] }] } } as Pod;
  assert.equal(podTarget(declared, { text: "", scheme: "http", name: "p", port: "" }).port, 8080);
  assert.equal(podTarget(declared, { text: "", scheme: "http", name: "p", port: "9" }).port, 9);
  assert.throws(() => podTarget(declared, { text: "", scheme: "http", name: "p", port: "http" }), {
    reason: "BadRequest",
  });
  assert.throws(() => podTarget({ ...declared, status: {} }, { text: "", scheme: "http", name: "p", port: "" }), {
    reason: "BadRequest",
    message: "address not allowed",
  });
});

void test("onwardHeaders: neither what is about the connection nor what names the client goes on", () => {
  assert.deepEqual(
    onwardHeaders({
      ":path": "/",
      accept: "text/html",
      authorization: "Bearer x",
      "impersonate-user": "jane",
      connection: "close, X-Hop",
      "x-hop": "1",
      te: "trailers",
      cookie: "a=b",
    }),
    { accept: "text/html", cookie: "a=b" },
  );
});

void test("seenAddress, seenPage: absolute links move below the prefix, all others stay", () => {
  const seen = { prefix: "/p/proxy", host: "10.0.0.1:80" };
  assert.equal(seenAddress("/x?y", seen), "/p/proxy/x?y");
  assert.equal(seenAddress("http://10.0.0.1:80/x", seen), "/p/proxy/x");
  assert.equal(seenAddress("http://10.0.0.1:80", seen), "/p/proxy/");
  for (const same of ["x", "//cdn/x", "http://example.com/x", "#a", "", "/p/proxy/x"]) {
    assert.equal(seenAddress(same, seen), same);
  }
  assert.equal(
    seenPage(`<a class="b" href="/x">/x</a><img src='/i.png'><a data-href="/y"><p>"/z"</p>`, seen),
    `<a class="b" href="/p/proxy/x">/x</a><img src='/p/proxy/i.png'><a data-href="/y"><p>"/z"</p>`,
  );
});
