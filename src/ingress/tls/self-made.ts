// Loads the certificate writer, which costs start-up time: itself loaded only when a certificate must be made.
import "reflect-metadata";
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";
import { createPrivateKey } from "node:crypto";
import type { Certificate } from "../plan/plan.ts";

const CURVE = { name: "ECDSA", namedCurve: "P-256" };
const SIGNING = { name: "ECDSA", hash: "SHA-256" };
const DAY = 86_400_000;
/** Clocks of clients may be a little behind. */
const BACKDATE = 3_600_000;
const LIFE = 365 * DAY;

const DEFAULT_NAME = "Fairlead Ingress default certificate";

/**
 * A certificate that nobody but itself vouches for, good for a year: served where none is given (CTL-140).
 *
 * @param now milliseconds since the epoch
 * @param names what it is for
 */
export async function makeCertificate(
  now: number,
  names: readonly string[] = [],
  commonName = DEFAULT_NAME,
): Promise<Certificate> {
  const keys = await crypto.subtle.generateKey(CURVE, true, ["sign", "verify"]);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [commonName] }],
    keys,
    signingAlgorithm: SIGNING,
    notBefore: new Date(now - BACKDATE),
    notAfter: new Date(now + LIFE),
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      ...(names.length === 0
        ? []
        : [new SubjectAlternativeNameExtension(names.map((value) => ({ type: "dns", value })))]),
    ],
  });
  const der = Buffer.from(await crypto.subtle.exportKey("pkcs8", keys.privateKey));
  const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" }).export({ format: "pem", type: "pkcs8" });
  return { secret: "", chain: `${certificate.toString("pem")}\n`, key, notAfter: certificate.notAfter.getTime() };
}
