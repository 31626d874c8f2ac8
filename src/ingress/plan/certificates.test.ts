import { deepEqual, equal, match } from "node:assert/strict";
import { test } from "node:test";
import type { Secret } from "../../api/generated/types.ts";
import {
  Cluster,
  ingress,
  options,
  planned,
  rule,
  secret,
  service,
  tlsSecret,
} from "../../../test/ingress/plan-examples.ts";
import { makeCertificate } from "../tls/self-made.ts";
import type { IngressPlan } from "./plan.ts";
import { createPlanner, type Planned } from "./planner.ts";

const rules = [rule("a.example", "/")];
const certificate = await tlsSecret("a-tls", "a.example");
const wildcard = await tlsSecret("wild-tls", "*.a.example");
const tls = (secretName: string | undefined, ...hosts: string[]) => [
  { ...(secretName === undefined ? {} : { secretName }), ...(hosts.length === 0 ? {} : { hosts }) },
];
const served = ({ certificates }: IngressPlan): string[] =>
  [...certificates].map(([name, { secret: from }]) => `${name} ${from}`).sort();
const told = ({ faults }: Planned, key = "default/web"): string[] =>
  (faults.get(key) ?? []).map(({ reason, field }) => `${reason} ${field}`);
const redirects = ({ plan }: Planned, host = "a.example"): number | undefined =>
  plan.hosts.get(host)?.routes[0]?.settings.httpsRedirect;

test("CTL-140: a certificate is served for the hosts of its entry, without any for those of the rules", () => {
  const all = planned([service(), certificate, ingress({ rules, tls: tls("a-tls", "A.example") })]);
  deepEqual(served(all.plan), ["a.example default/a-tls"]);
  equal(all.faults.size, 0);
  match(all.plan.certificates.get("a.example")?.chain ?? "", /^-----BEGIN CERTIFICATE-----/);
  deepEqual(served(planned([service(), certificate, ingress({ rules, tls: tls("a-tls") })]).plan), [
    "a.example default/a-tls",
  ]);
  const wild = planned([
    service(),
    wildcard,
    ingress({ rules: [rule("*.a.example", "/")], tls: tls("wild-tls", "*.a.example") }),
  ]);
  deepEqual(served(wild.plan), ["*.a.example default/wild-tls"]);
  equal(wild.faults.size, 0);
});

test("CTL-140: without its Secret a host has the default certificate, and a fault says so", async () => {
  const spareCertificate = await makeCertificate(Date.now());
  const given = await tlsSecret("default-tls", "default.example");
  const objects = [service(), given, ingress({ rules, tls: tls("a-tls", "a.example") })];
  const all = planned(objects, { spareCertificate });
  deepEqual(served(all.plan), [" "]);
  equal(all.plan.certificates.get(""), spareCertificate);
  deepEqual(told(all), ["CertificateNotFound spec.tls[0].secretName"]);
  equal(
    all.faults.get("default/web")?.[0]?.message,
    "there is no Secret default/a-tls; the default certificate is served until there is one",
  );
  deepEqual(served(planned(objects, { spareCertificate, defaultCertificate: "default/default-tls" }).plan), [
    " default/default-tls",
  ]);
  const missing = planned(objects, { spareCertificate, defaultCertificate: "default/nowhere" });
  deepEqual(served(missing.plan), [" "]);
  match(missing.remarks.join(), /Secret default\/nowhere is not there/);
});

test("a Secret that is no certificate is told of, and nothing else suffers", async () => {
  const other = await makeCertificate(Date.now(), ["a.example"]);
  const text = (name: string, from = certificate): string => Buffer.from(from.data![name]!, "base64").toString();
  const [chain, key] = [text("tls.crt"), text("tls.key")];
  const garbage = "-----BEGIN CERTIFICATE-----\nbm9uc2Vuc2U=\n-----END CERTIFICATE-----\n";
  const bad = [
    [secret("a-tls", {}), /Secret default\/a-tls has nothing under tls.crt/],
    [secret("a-tls", { "tls.crt": chain }), /has nothing under tls.key/],
    [secret("a-tls", { "tls.crt": "nonsense", "tls.key": key }), /has no certificate in PEM under tls.crt/],
    [secret("a-tls", { "tls.crt": garbage, "tls.key": key }), /has no certificate in PEM under tls.crt: /],
    [secret("a-tls", { "tls.crt": chain + garbage, "tls.key": key }), /has no certificate in PEM under tls.crt: /],
    [secret("a-tls", { "tls.crt": chain, "tls.key": "nonsense" }), /has no private key in PEM under tls.key: /],
    [secret("a-tls", { "tls.crt": chain, "tls.key": other.key }), /private key under tls.key that does not belong to/],
    [
      secret("a-tls", { user: "me" }, "Opaque"),
      /is of type Opaque and should be of type kubernetes.io\/tls; it has nothing/,
    ],
  ] as const;
  for (const [broken, expected] of bad) {
    const all = planned([service(), broken, ingress({ rules, tls: tls("a-tls", "a.example") })]);
    deepEqual(served(all.plan), []);
    deepEqual(told(all), ["CertificateRefused spec.tls[0].secretName"]);
    match(all.faults.get("default/web")?.[0]?.message ?? "", expected);
    equal(all.plan.hosts.get("a.example")?.routes.length, 1);
  }
});

test("a certificate for other names, or in a Secret of another type, is served and told of", () => {
  const other = planned([service(), certificate, ingress({ rules, tls: tls("a-tls", "a.example", "b.example") })]);
  deepEqual(served(other.plan), ["a.example default/a-tls", "b.example default/a-tls"]);
  deepEqual(told(other), ["CertificateHostMismatch spec.tls[0].hosts"]);
  match(
    other.faults.get("default/web")?.[0]?.message ?? "",
    /is for a.example and should be for b.example; it is served/,
  );
  const untyped: Secret = { ...certificate, type: "Opaque" };
  const opaque = planned([service(), untyped, ingress({ rules, tls: tls("a-tls", "a.example") })]);
  deepEqual(served(opaque.plan), ["a.example default/a-tls"]);
  deepEqual(told(opaque), ["CertificateType spec.tls[0].secretName"]);
});

test("of several certificates for one host the oldest Ingress' is served, if it can be", async () => {
  const later = await tlsSecret("later-tls", "a.example");
  const two = [
    ingress({ rules, tls: tls("a-tls", "a.example") }),
    ingress({ rules: [rule("a.example", "/x")], tls: tls("later-tls", "a.example") }, { name: "later", at: 5 }),
  ];
  const all = planned([service(), certificate, later, ...two]);
  deepEqual(served(all.plan), ["a.example default/a-tls"]);
  deepEqual(told(all), []);
  deepEqual(told(all, "default/later"), ["CertificateConflict spec.tls[0].secretName"]);
  match(
    all.faults.get("default/later")?.[0]?.message ?? "",
    /^Ingress default\/web, which is older, has Secret default\/a-tls/,
  );
  const broken = planned([service(), secret("a-tls", {}), later, ...two]);
  deepEqual(served(broken.plan), ["a.example default/later-tls"]);
  deepEqual(told(broken, "default/later"), []);
});

test("CTL-141: a host with TLS sends plain requests to https with 308, unless ssl-redirect is off", () => {
  const redirected = (tlsOf: ReturnType<typeof tls>, annotations: Record<string, string> = {}, more: object[] = []) =>
    redirects(planned([service(), certificate, ingress({ rules, tls: tlsOf }, { annotations }), ...(more as [])]));
  equal(redirected([]), undefined);
  equal(redirected(tls("a-tls", "a.example")), 308);
  equal(redirected(tls("a-tls", "*.example")), 308, "by a wildcard");
  equal(redirected(tls("missing", "a.example")), 308, "the default certificate serves it");
  equal(redirected(tls("a-tls", "b.example")), undefined, "another host's");
  const off = { "nginx.ingress.kubernetes.io/ssl-redirect": "false" };
  equal(redirected(tls("a-tls", "a.example"), off), undefined);
  const forced = { "nginx.ingress.kubernetes.io/force-ssl-redirect": "true" };
  equal(redirected([], forced), 308);
  equal(redirected([], { ...off, ...forced }), 308);
  const other = ingress({ rules: [rule("a.example", "/x")], tls: tls("a-tls", "a.example") }, { name: "other" });
  equal(redirected([], {}, [other]), 308, "TLS is the host's, whoever says so");
});

test("an alias and the other www. host have the certificate of the host", () => {
  const annotations = {
    "nginx.ingress.kubernetes.io/server-alias": "b.example",
    "nginx.ingress.kubernetes.io/from-to-www-redirect": "true",
  };
  const { plan } = planned([
    service(),
    certificate,
    ingress({ rules, tls: tls("a-tls", "a.example") }, { annotations }),
  ]);
  deepEqual(served(plan), ["a.example default/a-tls", "b.example default/a-tls", "www.a.example default/a-tls"]);
});

test("CTL-153: a rotated certificate is the only thing that changes", async () => {
  const cluster = new Cluster(service(), certificate, wildcard, ingress({ rules, tls: tls("a-tls", "a.example") }));
  const planner = createPlanner(options());
  const first = planner.plan(cluster, "everything").plan;
  cluster.put({ ...certificate, metadata: { ...certificate.metadata, labels: { a: "b" } } });
  equal(planner.plan(cluster, ["secret default/a-tls"]).plan, first, "a label is no rotation");
  cluster.put(await tlsSecret("a-tls", "a.example"));
  const next = planner.plan(cluster, ["secret default/a-tls"]).plan;
  equal(next.hosts, first.hosts);
  equal(next.backends, first.backends);
  equal(next.certificates.get("a.example") === first.certificates.get("a.example"), false);
  cluster.remove("Secret", "default/a-tls");
  equal(planner.plan(cluster, ["secret default/a-tls"]).plan.certificates.size, 0);
});

test("a certificate that has expired, is not valid yet or soon expires is served, and a fault says so", async () => {
  const now = Date.now();
  const day = 86_400_000;
  const life = 365 * day;
  for (const [made, reason, message] of [
    [now - life - day, "CertificateExpired", /^the certificate in Secret default\/t expired at \S+Z; it is served$/],
    [
      now + day,
      "CertificateNotYetValid",
      /^the certificate in Secret default\/t is not valid before \S+Z; it is served$/,
    ],
    [
      now - life + 6 * day,
      "CertificateExpiresSoon",
      /^the certificate in Secret default\/t expires at \S+Z; it is served$/,
    ],
    [now - life + 8 * day, undefined, undefined],
  ] as const) {
    const { chain, key } = await makeCertificate(made, ["a.example"], "a.example");
    const all = planned(
      [service(), secret("t", { "tls.crt": chain, "tls.key": key }), ingress({ rules, tls: tls("t", "a.example") })],
      { now: () => now },
    );
    deepEqual(served(all.plan), ["a.example default/t"]);
    equal(Math.abs((all.plan.certificates.get("a.example")?.notAfter ?? 0) - made - life) < 1000, true);
    deepEqual(told(all), reason === undefined ? [] : [`${reason} spec.tls[0].secretName`]);
    if (message !== undefined) match(all.faults.get("default/web")?.[0]?.message ?? "", message);
  }
});
