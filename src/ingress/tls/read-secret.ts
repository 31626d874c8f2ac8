import { createPrivateKey, X509Certificate, type KeyObject } from "node:crypto";
import { createSecureContext } from "node:tls";
import type { Secret } from "../../api/generated/types.ts";
import { keyOf } from "../../api/object.ts";
import type { Certificate } from "../plan/plan.ts";

export const TLS_TYPE = "kubernetes.io/tls";
const CERTIFICATE_KEY = "tls.crt";
const PRIVATE_KEY = "tls.key";

/** A certificate that can be served. */
export interface ReadCertificate {
  readonly certificate: Certificate;
  /** What it is for, in lower case; `*.a.example` too. */
  readonly names: readonly string[];
  /** Milliseconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** A sentence about what should be otherwise, though it can be served. */
  readonly remark: string | undefined;
}

const known = new WeakMap<Secret, ReadCertificate | string>();

const BLOCK = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

const why = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function namesOf(leaf: X509Certificate): readonly string[] {
  const names = [...(leaf.subjectAltName ?? "").matchAll(/(?:DNS|IP Address):([^,\s]+)/g)].map(([, name]) => name!);
  // Without other names the common name is what it is for, as old certificates have it.
  if (names.length === 0) names.push(...[...leaf.subject.matchAll(/^CN=(.+)$/gm)].map(([, name]) => name!));
  return names.map((name) => name.toLowerCase());
}

/** What stands under a key; a sentence where it is not there. */
function text(secret: Secret, key: string): { readonly pem: string } | string {
  const given = secret.data?.[key];
  if (given === undefined || given === "") return `has nothing under ${key}`;
  return { pem: Buffer.from(given, "base64").toString("utf8") };
}

function read(secret: Secret): ReadCertificate | string {
  const [chain, key] = [text(secret, CERTIFICATE_KEY), text(secret, PRIVATE_KEY)];
  const isTls = secret.type === TLS_TYPE;
  const type = `is of type ${secret.type ?? "Opaque"} and should be of type ${TLS_TYPE}`;
  if (typeof chain === "string") return isTls ? chain : `${type}; it ${chain}`;
  if (typeof key === "string") return isTls ? key : `${type}; it ${key}`;
  const blocks = chain.pem.match(BLOCK) ?? [];
  let certificates: readonly X509Certificate[];
  try {
    certificates = blocks.map((block) => new X509Certificate(block));
  } catch (error) {
    return `has no certificate in PEM under ${CERTIFICATE_KEY}: ${why(error)}`;
  }
  const leaf = certificates[0];
  if (leaf === undefined) return `has no certificate in PEM under ${CERTIFICATE_KEY}`;
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey(key.pem);
  } catch (error) {
    return `has no private key in PEM under ${PRIVATE_KEY}: ${why(error)}`;
  }
  if (!leaf.checkPrivateKey(privateKey)) {
    return `has a private key under ${PRIVATE_KEY} that does not belong to the certificate under ${CERTIFICATE_KEY}`;
  }
  const pem = { chain: `${blocks.join("\n")}\n`, key: key.pem };
  try {
    createSecureContext({ cert: pem.chain, key: pem.key });
  } catch (error) {
    return `has a certificate that cannot be served: ${why(error)}`;
  }
  return {
    certificate: { secret: keyOf(secret), ...pem, notAfter: leaf.validToDate.getTime() },
    names: namesOf(leaf),
    notBefore: leaf.validFromDate.getTime(),
    notAfter: leaf.validToDate.getTime(),
    remark: isTls ? undefined : type,
  };
}

/** The certificate of a Secret, checked; else what is wrong with it, to be said after its name. Each Secret is read once. */
export function readSecret(secret: Secret): ReadCertificate | string {
  const before = known.get(secret);
  if (before !== undefined) return before;
  const now = read(secret);
  known.set(secret, now);
  return now;
}

/** Milliseconds before its end that whoever owns a certificate hears of it. */
const SOON = 7 * 86_400_000;
const dateOf = (time: number): string => new Date(time).toISOString().replace(/\.\d+Z$/, "Z");

/** What clients find wrong with when a certificate is good, or soon will; to be said after its name. */
export function timeFault(
  { notBefore, notAfter }: Pick<ReadCertificate, "notBefore" | "notAfter">,
  now: number,
): { readonly reason: string; readonly message: string } | undefined {
  if (now > notAfter) return { reason: "CertificateExpired", message: `expired at ${dateOf(notAfter)}` };
  if (now < notBefore) return { reason: "CertificateNotYetValid", message: `is not valid before ${dateOf(notBefore)}` };
  if (notAfter - now > SOON) return undefined;
  return { reason: "CertificateExpiresSoon", message: `expires at ${dateOf(notAfter)}` };
}

/** Whether a certificate with these names is one for a host; a wildcard stands for one label. */
export function covers(names: readonly string[], host: string): boolean {
  const dot = host.indexOf(".");
  return names.includes(host) || (dot > 0 && names.includes(`*${host.slice(dot)}`));
}
