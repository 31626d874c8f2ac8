import { createPrivateKey, X509Certificate, type KeyObject } from "node:crypto";
import { RENEW_BEFORE, type Leaf } from "./plan.ts";

/** A certificate and its private key, PEM. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** A pair as text and as what `node:crypto` makes of it. */
export interface ReadPair extends KeyPair {
  readonly certificate: X509Certificate;
  readonly privateKey: KeyObject;
}

/** Reads a pair; throws an Error whose message says which half is unreadable, or that the halves are strangers. */
export function readPair(cert: string, key: string): ReadPair {
  let certificate: X509Certificate;
  let privateKey: KeyObject;
  try {
    certificate = new X509Certificate(cert);
  } catch (cause) {
    throw new Error("the certificate cannot be read", { cause });
  }
  try {
    privateKey = createPrivateKey(key);
  } catch (cause) {
    throw new Error("the key cannot be read", { cause });
  }
  if (!certificate.checkPrivateKey(privateKey)) throw new Error("the key is not the certificate's");
  return { cert, key, certificate, privateKey };
}

const NO_SUBJECT = { subject: "never", wildcards: false } as const;

const subjectOf = (leaf: Leaf): string =>
  [...(leaf.organization === undefined ? [] : [`O=${leaf.organization}`]), `CN=${leaf.commonName}`].join("\n");

/**
 * Why a leaf must be issued anew, in words for the log; undefined while it serves. Judged with `node:crypto` alone: reading
 * certificates that are still good must not cost the start the time of loading a library that writes them.
 */
export function whyRenew(leaf: Leaf, pair: ReadPair, ca: X509Certificate, nowMs: number): string | undefined {
  const { certificate } = pair;
  if (!certificate.checkIssued(ca) || !certificate.verify(ca.publicKey)) return "it is not of this authority";
  if (certificate.validFromDate.getTime() > nowMs) return "it is not valid yet";
  if (certificate.validToDate.getTime() - nowMs < RENEW_BEFORE) return "fewer than 30 days are left";
  if (certificate.subject.split("\n").sort().join("\n") !== subjectOf(leaf).split("\n").sort().join("\n")) {
    return "it is for another subject";
  }
  const dns = leaf.names.dns.find((name) => certificate.checkHost(name, NO_SUBJECT) === undefined);
  if (dns !== undefined) return `it lacks the name ${dns}`;
  const ip = leaf.names.ips.find((name) => certificate.checkIP(name) === undefined);
  return ip === undefined ? undefined : `it lacks the address ${ip}`;
}
