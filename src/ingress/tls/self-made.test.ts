import { equal, match, ok } from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import { createSecureContext } from "node:tls";
import { makeCertificate } from "./self-made.ts";
import { covers } from "./read-secret.ts";

const NOW = Date.UTC(2026, 0, 1);

test("CTL-140: the certificate that is made here says what it is, for a year, and can be served", async () => {
  const made = await makeCertificate(NOW);
  const { subject, issuer, validFrom, validTo, ca } = new X509Certificate(made.chain);
  equal(subject, "CN=Fairlead Ingress default certificate");
  equal(issuer, subject);
  equal(ca, false);
  ok(Date.parse(validFrom) <= NOW);
  match(validTo, /^Jan {2}1 00:00:00 2027 GMT$/);
  createSecureContext({ cert: made.chain, key: made.key });
  ok((await makeCertificate(NOW)).key !== made.key);
});

test("a wildcard covers one label", () => {
  const names = ["a.example", "*.b.example"];
  for (const host of ["a.example", "x.b.example", "*.b.example"]) equal(covers(names, host), true, host);
  for (const host of ["b.example", "x.y.b.example", "x.a.example", ""]) equal(covers(names, host), false, host);
});
