import { chmod, readdir } from "node:fs/promises";
import { join } from "node:path";
import { timestamp, type Clock } from "../../observe/clock.ts";
import { silentLog, type Log } from "../../observe/log.ts";
import { createDirectory, findPair, usablePair, writePair } from "./files.ts";
import { readPair, whyRenew, type KeyPair, type ReadPair } from "./judge.ts";
import { planLeaves, type Leaf, type LeafName, type ServerNames } from "./plan.ts";

/** All certificates of an installation, PEM. Server certificates serve only servers, client certificates only clients. */
export interface Pki extends Readonly<Record<LeafName, KeyPair>> {
  /** The authority's certificate: what clients and servers believe. */
  readonly ca: string;
}

export interface PkiOptions {
  /** Mode 0700; holds the keys (0600) and nothing else. */
  readonly directory: string;
  /** What the API server is reached by beside localhost, 127.0.0.1 and ::1, which are always in. */
  readonly names: ServerNames;
  /** Name of the Node whose endpoint has a certificate too. */
  readonly nodeName: string;
  readonly clock: Clock;
  readonly log?: Log;
}

const CA = "ca";

async function isEmpty(directory: string): Promise<boolean> {
  try {
    return (await readdir(directory)).length === 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return true;
    throw new Error(`reading ${directory}: ${(error as Error).message}`, { cause: error });
  }
}

/** The authority there is. Never made anew beside other files: everything that was signed by it would be worth nothing. */
async function readAuthority(directory: string, nowMs: number): Promise<ReadPair> {
  const { cert, key } = await findPair(directory, CA);
  const remedy = `Put the missing file back, or remove ${directory} to start with a new authority and a new kubeconfig.`;
  for (const [file, text] of [
    ["ca.crt", cert],
    ["ca.key", key],
  ] as const) {
    if (text !== undefined) continue;
    throw new Error(`reading the certificate authority: ${join(directory, file)} is missing. ${remedy}`);
  }
  let pair: ReadPair;
  try {
    pair = readPair(cert!, key!);
  } catch (error) {
    throw new Error(
      `reading the certificate authority ${join(directory, "ca.crt")} and ca.key: ${(error as Error).message}. ${remedy}`,
      { cause: error },
    );
  }
  if (!pair.certificate.ca) throw new Error(`${join(directory, "ca.crt")} is not the certificate of an authority`);
  const end = pair.certificate.validToDate.getTime();
  if (end <= nowMs) {
    throw new Error(
      `the certificate authority ${join(directory, "ca.crt")} ended on ${timestamp(end)}. Remove ${directory} to start with a new one.`,
    );
  }
  return pair;
}

/** The first start: all pairs are made, then appear at once. */
async function createAll(leaves: Record<LeafName, Leaf>, { directory, clock }: PkiOptions): Promise<Pki> {
  const { issueAuthority, issueLeaf } = await import("./issue.ts");
  const ca = await issueAuthority(clock.now());
  const pairs = new Map<string, KeyPair>([[CA, ca]]);
  const made = await Promise.all(
    Object.entries(leaves).map(async ([name, leaf]) => {
      const pair = await issueLeaf(leaf, ca, clock.now());
      pairs.set(leaf.file, pair);
      return [name, pair] as const;
    }),
  );
  await createDirectory(directory, pairs);
  return { ca: ca.cert, ...(Object.fromEntries(made) as Record<LeafName, KeyPair>) };
}

/**
 * The certificates of this installation: made at the first start, checked at every one. A leaf with fewer than 30 days left,
 * or that lacks a name, is issued anew; the authority (ten years) is kept.
 *
 * @throws Error when the authority is there by halves, unreadable or past its end, with what to do
 */
export async function ensurePki(options: PkiOptions): Promise<Pki> {
  const { directory, clock, log = silentLog } = options;
  const leaves = planLeaves(options.names, options.nodeName);
  if (await isEmpty(directory)) return createAll(leaves, options);
  const nowMs = clock.now();
  const ca = await readAuthority(directory, nowMs);
  await chmod(directory, 0o700);
  const ready = await Promise.all(
    Object.entries(leaves).map(async ([name, leaf]: [string, Leaf]) => {
      const pair = usablePair(await findPair(directory, leaf.file));
      const why = pair === undefined ? "it is missing or unreadable" : whyRenew(leaf, pair, ca.certificate, nowMs);
      if (pair !== undefined && why === undefined) return [name, { cert: pair.cert, key: pair.key }] as const;
      const { issueLeaf } = await import("./issue.ts");
      const fresh = await issueLeaf(leaf, ca, nowMs);
      await writePair(directory, leaf.file, fresh);
      log.info({ certificate: leaf.file, why }, "issued a certificate anew");
      return [name, fresh] as const;
    }),
  );
  return { ca: ca.cert, ...(Object.fromEntries(ready) as Record<LeafName, KeyPair>) };
}
