// The only file that loads the certificate writer, and itself loaded only when something must be written: both cost start-up time.
import "reflect-metadata";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
  type Extension,
  type JsonName,
} from "@peculiar/x509";
import { createPrivateKey, X509Certificate, type webcrypto } from "node:crypto";
import { readPair, type KeyPair, type ReadPair } from "./judge.ts";
import { BACKDATE, CA_LIFE, LEAF_LIFE, type Leaf } from "./plan.ts";

const CURVE = { name: "ECDSA", namedCurve: "P-256" };
const SIGNING = { name: "ECDSA", hash: "SHA-256" };

const newKeys = (): Promise<webcrypto.CryptoKeyPair> => crypto.subtle.generateKey(CURVE, true, ["sign", "verify"]);

async function keyText(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await crypto.subtle.exportKey("pkcs8", key));
  return createPrivateKey({ key: der, format: "der", type: "pkcs8" }).export({ format: "pem", type: "pkcs8" });
}

const validity = (nowMs: number, life: number) => ({
  notBefore: new Date(nowMs - BACKDATE),
  notAfter: new Date(nowMs + life),
});

/** A new authority, valid for ten years. */
export async function issueAuthority(nowMs: number): Promise<ReadPair> {
  const keys = await newKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: [{ CN: ["fairlead-ca"] }],
    keys,
    signingAlgorithm: SIGNING,
    ...validity(nowMs, CA_LIFE),
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign | KeyUsageFlags.digitalSignature, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return readPair(`${certificate.toString("pem")}\n`, await keyText(keys.privateKey));
}

function alternativeNames({ names }: Leaf): Extension[] {
  const all = [
    ...names.dns.map((value) => ({ type: "dns" as const, value })),
    ...names.ips.map((value) => ({ type: "ip" as const, value })),
  ];
  return all.length === 0 ? [] : [new SubjectAlternativeNameExtension(all)];
}

interface Issuer {
  readonly signingKey: webcrypto.CryptoKey;
  readonly identifier: AuthorityKeyIdentifierExtension;
}

async function issuerOf(ca: ReadPair): Promise<Issuer> {
  const pkcs8 = ca.privateKey.export({ format: "der", type: "pkcs8" });
  const spki = new X509Certificate(ca.cert).publicKey.export({ format: "der", type: "spki" });
  const publicKey = await crypto.subtle.importKey("spki", spki, CURVE, true, ["verify"]);
  return {
    signingKey: await crypto.subtle.importKey("pkcs8", pkcs8, CURVE, false, ["sign"]),
    identifier: await AuthorityKeyIdentifierExtension.create(publicKey),
  };
}

/** Each authority's keys are read once: a first start issues many leaves, and waits for them. */
const issuers = new WeakMap<ReadPair, Promise<Issuer>>();

/** A new key and its certificate, signed by the authority, valid for a year. */
export async function issueLeaf(leaf: Leaf, ca: ReadPair, nowMs: number): Promise<KeyPair> {
  let reading = issuers.get(ca);
  if (reading === undefined) issuers.set(ca, (reading = issuerOf(ca)));
  const [keys, { signingKey, identifier }] = await Promise.all([newKeys(), reading]);
  const subject: JsonName = [
    ...(leaf.organization === undefined ? [] : [{ O: [leaf.organization] }]),
    { CN: [leaf.commonName] },
  ];
  const usage = leaf.use === "server" ? ExtendedKeyUsage.serverAuth : ExtendedKeyUsage.clientAuth;
  // A leaf must not outlive its authority: clients would refuse it with a misleading reason.
  const { notBefore, notAfter } = validity(nowMs, LEAF_LIFE);
  const certificate = await X509CertificateGenerator.create({
    subject,
    issuer: [{ CN: ["fairlead-ca"] }],
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: SIGNING,
    notBefore,
    notAfter: new Date(Math.min(notAfter.getTime(), ca.certificate.validToDate.getTime())),
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([usage]),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      identifier,
      ...alternativeNames(leaf),
    ],
  });
  return { cert: `${certificate.toString("pem")}\n`, key: await keyText(keys.privateKey) };
}
