import "reflect-metadata";
import * as x509 from "@peculiar/x509";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

export interface Pair {
  readonly key: string;
  readonly cert: string;
}

const pem = (label: string, bytes: ArrayBuffer): string => {
  const text = Buffer.from(bytes).toString("base64").replaceAll(/.{64}/g, "$&\n");
  return `-----BEGIN ${label}-----\n${text}\n-----END ${label}-----\n`;
};

/** What a client's certificate is to be, beside its subject: a day long and for clients unless said otherwise. */
export interface ClientOptions {
  readonly from?: Date;
  readonly to?: Date;
  /** `any`: without a word on what it is for. */
  readonly use?: "client" | "server" | "any";
}

/** An authority of the test's own, and what it signs. */
export async function createAuthority(name = "CN=test-ca"): Promise<{
  readonly cert: string;
  server(): Promise<Pair>;
  client(subject: string, options?: ClientOptions): Promise<Pair>;
}> {
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  // Servers under test may have clocks of the test's own, which begin in the past.
  const notBefore = new Date("2020-01-01T00:00:00Z");
  const notAfter = new Date(Date.now() + 86_400_000);
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: "01",
    name,
    notBefore,
    notAfter,
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [new x509.BasicConstraintsExtension(true, 1, true)],
  });
  let serial = 1;
  const issue = async (
    subject: string,
    extensions: x509.Extension[],
    life: Pick<ClientOptions, "from" | "to"> = {},
  ): Promise<Pair> => {
    const own = await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: (++serial).toString(16).padStart(2, "0"),
      subject,
      issuer: ca.subject,
      notBefore: life.from ?? notBefore,
      notAfter: life.to ?? notAfter,
      signingAlgorithm: ALGORITHM,
      publicKey: own.publicKey,
      signingKey: keys.privateKey,
      extensions,
    });
    return {
      key: pem("PRIVATE KEY", await crypto.subtle.exportKey("pkcs8", own.privateKey)),
      cert: certificate.toString("pem"),
    };
  };
  return {
    cert: ca.toString("pem"),
    server: () =>
      issue("CN=fairlead", [
        new x509.SubjectAlternativeNameExtension([
          { type: "dns", value: "localhost" },
          { type: "ip", value: "127.0.0.1" },
        ]),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      ]),
    client(subject, { use = "client", ...life } = {}) {
      const usage = use === "server" ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth;
      return issue(subject, use === "any" ? [] : [new x509.ExtendedKeyUsageExtension([usage])], life);
    },
  };
}
