import { deepEqual, equal, throws } from "node:assert/strict";
import { test } from "node:test";
import { readFlags } from "../flags.ts";
import { INGRESS_FLAGS, ingressRun } from "./ingress-flags.ts";

const run = (...argv: string[]) => ingressRun(readFlags("ingress", INGRESS_FLAGS, argv));

const USUAL = {
  ingressClass: "fairlead",
  controller: "fairlead.dev/ingress",
  withoutClass: false,
  namespace: undefined,
  defaultBackend: undefined,
  defaultCertificate: undefined,
  exposure: undefined,
  bind: [],
  httpPort: 80,
  httpsPort: 443,
  proxyProtocol: false,
  trust: { from: [] },
  engine: "auto",
  health: { host: "::", port: 10_254, both: true },
  metrics: { host: "::", port: 10_254, both: true },
  accessLog: "-",
  drain: 30_000,
  logLevel: "info",
};

void test("without flags: ports 80 and 443 of all addresses, class fairlead, and pages where ingress-nginx has them", () => {
  deepEqual(run(), USUAL);
});

void test("each flag has its effect", () => {
  deepEqual(
    run(
      "--kubeconfig=/k",
      "--context=c",
      "--master=https://api.example",
      "--ingress-class=door",
      "--controller-class=a.example/door",
      "--watch-ingress-without-class",
      "--watch-namespace=shop",
      "--default-backend-service=shop/sorry",
      "--default-ssl-certificate=shop/tls.default",
      "--publish-status-address=192.0.2.1, 2001:DB8::1,lb.example",
      "--http-port=8080",
      "--https-port=0",
      "--bind=127.0.0.1,::1,127.0.0.1",
      "--proxy-protocol=true",
      "--forwarded-trust=10.1.2.3/8,2001:db8::1",
      "--engine=haproxy",
      "--healthz-port=0",
      "--metrics-bind-address=127.0.0.1:9100",
      "--access-log=/var/log/door",
      "--shutdown-drain=5",
      "--log-level=warn",
    ),
    {
      kubeconfig: "/k",
      context: "c",
      server: "https://api.example",
      ingressClass: "door",
      controller: "a.example/door",
      withoutClass: true,
      namespace: "shop",
      defaultBackend: "shop/sorry",
      defaultCertificate: "shop/tls.default",
      exposure: { addresses: ["192.0.2.1", "2001:db8::1", "lb.example"] },
      bind: ["127.0.0.1", "::1"],
      httpPort: 8080,
      httpsPort: 0,
      proxyProtocol: true,
      trust: { from: ["10.0.0.0/8", "2001:db8::1/128"] },
      engine: "haproxy",
      health: undefined,
      metrics: { host: "127.0.0.1", port: 9100 },
      accessLog: "/var/log/door",
      drain: 5_000,
      logLevel: "warn",
    },
  );
  deepEqual(run("--publish-service=shop/lb", "--access-log=off", "--metrics-bind-address=", "--healthz-port=9"), {
    ...USUAL,
    exposure: { service: "shop/lb" },
    accessLog: undefined,
    health: { host: "::", port: 9, both: true },
    metrics: undefined,
  });
});

void test("--migrate reads manifests and nothing else", () => {
  deepEqual(run("--migrate", "-f", "a.yaml", "-f", "-", "-o", "json"), {
    ingressClass: "fairlead",
    controller: "fairlead.dev/ingress",
    migrate: ["a.yaml", "-"],
    output: "json",
  });
  const text = run("--migrate", "-f", "a", "--controller-class=k8s.io/ingress-nginx");
  equal("output" in text && text.output, "text");
  equal(text.controller, "k8s.io/ingress-nginx");
});

const WRONG: readonly [argv: readonly string[], said: RegExp][] = [
  [["--watch-ingress-without-class=yes"], /--watch-ingress-without-class: "yes" is not one of true, false/],
  [["--watch-namespace=Shop"], /--watch-namespace: "Shop" is not the name of a namespace/],
  [["--default-backend-service=sorry"], /--default-backend-service: "sorry" is not NAMESPACE\/NAME/],
  [["--default-ssl-certificate=a/b/c"], /--default-ssl-certificate: "a\/b\/c" is not NAMESPACE\/NAME/],
  [["--publish-service=lb"], /--publish-service: "lb" is not NAMESPACE\/NAME/],
  [["--publish-status-address=a b"], /--publish-status-address: "a b" is not an address or a DNS name/],
  [["--publish-service=a/b", "--publish-status-address=192.0.2.1"], /say the same thing in two ways: give one/],
  [["--http-port=x"], /--http-port: "x" is not a port, from 0 to 65535/],
  [["--https-port=65536"], /--https-port: "65536" is not a port/],
  [["--http-port=443"], /both are 443, and they must be two/],
  [["--bind=localhost"], /--bind: "localhost" is not an address/],
  [["--forwarded-trust=10.0.0.0/33"], /--forwarded-trust: "10.0.0.0\/33" is not an address or a range/],
  [["--engine=nginx"], /--engine: "nginx" is not one of auto, builtin, haproxy/],
  [["--healthz-port=-1"], /--healthz-port: "-1" is not a port/],
  [["--metrics-bind-address=9100"], /--metrics-bind-address: "9100" is not ADDR:PORT/],
  [["--metrics-bind-address=::1:9100"], /is not ADDR:PORT/],
  [["--metrics-bind-address=localhost:9100"], /is not ADDR:PORT/],
  [["--shutdown-drain=30s"], /--shutdown-drain: "30s" is not a number of seconds from 0 to 86400/],
  [["--log-level=loud"], /--log-level: "loud" is not one of/],
  [["--ingress-class=A B"], /--ingress-class: "A B" is not the name of an IngressClass/],
  [["--controller-class=door"], /--controller-class: "door" is not a name with a domain before it/],
  [["--migrate"], /--migrate needs manifests: name them with -f FILE/],
  [["--migrate", "-f", "a", "--http-port=1", "--kubeconfig=k"], /leave out --kubeconfig, --http-port/],
  [["--migrate", "-f", "a", "-o", "yaml"], /--output: "yaml" is not one of text, json/],
  [["-f", "a.yaml"], /--file is of --migrate, which is not given/],
  [["--publish-address=1"], /unknown flag --publish-address; did you mean --publish-s/],
];
for (const [argv, said] of WRONG) {
  void test(`${argv.join(" ")} is refused`, () => throws(() => run(...argv), said));
}
