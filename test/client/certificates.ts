import "reflect-metadata";
import type { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

export interface Certificates {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

/** An authority and a certificate of it for localhost and 127.0.0.1. */
export async function makeCertificates(): Promise<Certificates> {
  const newKeys = async (): Promise<webcrypto.CryptoKeyPair> =>
    await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const authority = await newKeys();
  const notAfter = new Date(Date.now() + 3_600_000);
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: "01",
    name: "CN=test authority",
    notAfter,
    signingAlgorithm: ALGORITHM,
    keys: authority,
    extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
  });
  const leaf = await newKeys();
  const cert = await x509.X509CertificateGenerator.create({
    serialNumber: "02",
    subject: "CN=test server",
    issuer: ca.subject,
    notAfter,
    signingAlgorithm: ALGORITHM,
    publicKey: leaf.publicKey,
    signingKey: authority.privateKey,
    extensions: [
      new x509.SubjectAlternativeNameExtension([
        { type: "dns", value: "localhost" },
        { type: "ip", value: "127.0.0.1" },
      ]),
    ],
  });
  const pkcs8 = Buffer.from(await crypto.subtle.exportKey("pkcs8", leaf.privateKey)).toString("base64");
  return {
    ca: ca.toString("pem"),
    cert: cert.toString("pem"),
    key: `-----BEGIN PRIVATE KEY-----\n${pkcs8.replace(/(.{64})/g, "$1\n")}\n-----END PRIVATE KEY-----\n`,
  };
}
