import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** PEM. */
export interface Pair {
  readonly certificate: string;
  readonly key: string;
}

/** Names it may be used for are given; the first is its common name. Signed by `ca`, or by itself. */
export async function createCertificate(
  names: readonly string[],
  { ca, isCa = false }: { ca?: Pair; isCa?: boolean } = {},
): Promise<Pair> {
  const directory = await mkdtemp("/var/tmp/fairlead-certificate-");
  const at = (name: string): string => join(directory, name);
  try {
    if (ca !== undefined) {
      await writeFile(at("ca.pem"), ca.certificate);
      await writeFile(at("ca.key"), ca.key, { mode: 0o600 });
    }
    const request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30".split(" ");
    const alternatives = names.map((name) => `DNS:${name}`).join(",");
    const extensions = [`subjectAltName=${alternatives}`, `basicConstraints=critical,CA:${isCa ? "TRUE" : "FALSE"}`];
    const files = ["-keyout", at("made.key"), "-out", at("made.pem")];
    const signer = ca === undefined ? [] : ["-CA", at("ca.pem"), "-CAkey", at("ca.key")];
    const added = extensions.flatMap((extension) => ["-addext", extension]);
    await run("openssl", [...request, "-subj", `/CN=${names[0]}`, ...files, ...added, ...signer]);
    return { certificate: await readFile(at("made.pem"), "utf8"), key: await readFile(at("made.key"), "utf8") };
  } finally {
    await rm(directory, { recursive: true });
  }
}
