import "reflect-metadata";
import { webcrypto } from "node:crypto";
import {
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
  type JsonGeneralName,
} from "@peculiar/x509";

/* This module reads a large library, so it is loaded only when something is to be issued. */

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const DAY = 24 * 60 * 60 * 1000;
const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
const CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";

/** PEM texts. */
export interface Issued {
  readonly cert: string;
  readonly key: string;
}

/** Who a certificate speaks for, and as what. */
export interface Subject {
  readonly commonName: string;
  readonly organizations?: readonly string[];
  /** Given: a serving certificate for these names; absent: a client certificate. */
  readonly names?: { readonly dns: readonly string[]; readonly ips: readonly string[] };
}

const serial = (): string =>
  Buffer.from(webcrypto.getRandomValues(new Uint8Array(16)))
    .toString("hex")
    .replace(/^[89a-f]/, "1");
const generateKeys = () => webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
const keyPem = async (key: webcrypto.CryptoKey): Promise<string> =>
  `${PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY")}\n`;

/** A new authority, valid for ten years. Times begin five minutes back, for clocks that are a little behind. */
export async function issueAuthority(commonName: string, now: number): Promise<Issued> {
  const keys = await generateKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: `CN=${commonName}`,
    notBefore: new Date(now - 300_000),
    notAfter: new Date(now + 3650 * DAY),
    signingAlgorithm: ALGORITHM,
    keys: keys,
    extensions: [
      new BasicConstraintsExtension(true, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign | KeyUsageFlags.digitalSignature, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { cert: `${certificate.toString("pem")}\n`, key: await keyPem(keys.privateKey) };
}

/** A certificate of the authority, valid for one year. */
export async function issue(authority: Issued, subject: Subject, now: number): Promise<Issued> {
  const keys = await generateKeys();
  const ca = new X509Certificate(authority.cert);
  const caKey = await webcrypto.subtle.importKey("pkcs8", PemConverter.decodeFirst(authority.key), ALGORITHM, false, [
    "sign",
  ]);
  const names: JsonGeneralName[] = [
    ...(subject.names?.dns ?? []).map((value) => ({ type: "dns" as const, value })),
    ...(subject.names?.ips ?? []).map((value) => ({ type: "ip" as const, value })),
  ];
  const certificate = await X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: [
      ...(subject.organizations ?? []).map((organization) => `O=${organization}`),
      `CN=${subject.commonName}`,
    ].join(", "),
    issuer: ca.subject,
    notBefore: new Date(now - 300_000),
    notAfter: new Date(now + 365 * DAY),
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey: caKey,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([subject.names === undefined ? CLIENT_AUTH : SERVER_AUTH]),
      ...(names.length === 0 ? [] : [new SubjectAlternativeNameExtension(names)]),
    ],
  });
  return { cert: `${certificate.toString("pem")}\n`, key: await keyPem(keys.privateKey) };
}
