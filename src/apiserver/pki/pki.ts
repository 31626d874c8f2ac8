import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../observe/clock.ts";
import type { Issued, Subject } from "./issue.ts";

/** The client certificate by which the node endpoint knows the API server. */
const NODE_CLIENT = "kube-apiserver-kubelet-client";

/** Every certificate of an installation; `authority` signed all others. */
export interface Pki {
  readonly authority: Issued;
  readonly server: Issued;
  readonly node: Issued;
  readonly admin: Issued;
  readonly parts: Issued;
  readonly nodeClient: Issued;
}

export interface PkiOptions {
  readonly directory: string;
  /** What the API server is called by. */
  readonly names: { readonly dns: readonly string[]; readonly ips: readonly string[] };
  /** Name of the Node, which its endpoint's certificate carries. */
  readonly nodeName: string;
  readonly clock: Clock;
}

const RENEW_BEFORE = 30 * 24 * 60 * 60 * 1000;

/** Written aside first, so that a death leaves the old file or the new one, never half of one. */
async function write(path: string, text: string): Promise<void> {
  await writeFile(`${path}.aside`, text, { mode: 0o600 });
  await rename(`${path}.aside`, path);
}

async function read(directory: string, name: string): Promise<Issued | undefined> {
  const texts = await Promise.all(
    ["crt", "key"].map((ending) =>
      readFile(join(directory, `${name}.${ending}`), "utf8").catch((cause: NodeJS.ErrnoException) => {
        if (cause.code === "ENOENT") return undefined;
        throw new Error(`reading ${name}.${ending} in ${directory}: ${cause.message}`, { cause });
      }),
    ),
  );
  const [cert, key] = texts;
  return cert === undefined || key === undefined ? undefined : { cert, key };
}

/** Whether a certificate still serves: signed by this authority, its own key, not about to end, all its names there. */
function serves(issued: Issued, authority: Issued, subject: Subject, now: number): boolean {
  const certificate = new X509Certificate(issued.cert);
  return (
    certificate.verify(new X509Certificate(authority.cert).publicKey) &&
    certificate.checkPrivateKey(createPrivateKey(issued.key)) &&
    Date.parse(certificate.validTo) - now > RENEW_BEFORE &&
    certificate.subject.split("\n").includes(`CN=${subject.commonName}`) &&
    (subject.names?.dns ?? []).every((name) => certificate.checkHost(name, { subject: "never" }) !== undefined) &&
    (subject.names?.ips ?? []).every((ip) => certificate.checkIP(ip) !== undefined)
  );
}

async function readAuthority(directory: string): Promise<Issued | undefined> {
  const authority = await read(directory, "ca");
  if (authority !== undefined) {
    try {
      if (!new X509Certificate(authority.cert).checkPrivateKey(createPrivateKey(authority.key))) {
        throw new Error("the certificate is not this key's");
      }
    } catch (cause) {
      throw new Error(
        `reading the authority ca.crt and ca.key in ${directory}: ${(cause as Error).message}; put back the pair that belongs together`,
        { cause },
      );
    }
    return authority;
  }
  for (const name of ["ca.crt", "ca.key"]) {
    const left = await readFile(join(directory, name)).then(
      () => true,
      () => false,
    );
    if (left)
      throw new Error(
        `reading the authority in ${directory}: there is ${name} but not its other half; put that back, or remove ${name} to start with a new authority`,
      );
  }
  return undefined;
}

/**
 * Reads the certificates, and issues those that are missing, lack a name, or have less than 30 days to go. The authority is made once
 * and kept. Files are 0600 in a directory of 0700. Throws for an authority that is half there.
 */
export async function ensurePki({ directory, names, nodeName, clock }: PkiOptions): Promise<Pki> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const now = clock.now();
  let authority = await readAuthority(directory);
  if (authority === undefined) {
    const { issueAuthority } = await import("./issue.ts");
    authority = await issueAuthority("fairlead", now);
    await write(join(directory, "ca.key"), authority.key);
    await write(join(directory, "ca.crt"), authority.cert);
  }
  const ca = authority;
  const ensure = async (name: string, subject: Subject): Promise<Issued> => {
    const present = await read(directory, name);
    if (present !== undefined && serves(present, ca, subject, now)) return present;
    const { issue } = await import("./issue.ts");
    const issued = await issue(ca, subject, now);
    await write(join(directory, `${name}.key`), issued.key);
    await write(join(directory, `${name}.crt`), issued.cert);
    return issued;
  };
  const [server, node, admin, parts, nodeClient] = await Promise.all([
    ensure("server", { commonName: "kube-apiserver", names }),
    ensure("node", {
      commonName: `system:node:${nodeName}`,
      organizations: ["system:nodes"],
      names: { dns: [nodeName], ips: [] },
    }),
    ensure("admin", { commonName: "kubernetes-admin", organizations: ["system:masters"] }),
    ensure("parts", { commonName: "system:fairlead", organizations: ["system:masters"] }),
    ensure("node-client", { commonName: NODE_CLIENT, organizations: ["system:masters"] }),
  ]);
  return { authority: ca, server, node, admin, parts, nodeClient };
}
