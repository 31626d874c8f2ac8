import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { IngressPlan } from "../../plan/plan.ts";
import {
  CERTIFICATES,
  certificateFiles,
  DEFAULT_CERTIFICATE,
  inLines,
  listLines,
  type CertificateFile,
} from "./compile/files.ts";
import { writeWhole } from "./process/directory.ts";
import {
  addToList,
  commitCertificate,
  deleteCertificate,
  deleteFromList,
  linesOf,
  newCertificate,
  setCertificate,
  showList,
} from "./runtime/protocol.ts";
import type { RuntimeSession } from "./runtime/session.ts";

/** Keeps the certificates of a running HAProxy, and the files that the next start reads, as a plan says. */
export class Certificates {
  readonly #directory: string;
  #plan: IngressPlan["certificates"] | undefined;
  #files = new Map<string, CertificateFile>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** HAProxy was started with these. */
  started(plan: IngressPlan["certificates"]): void {
    this.#plan = plan;
    this.#files = new Map(certificateFiles(plan).map((file) => [file.file, file]));
  }

  /** Whether only a new start can have this: whether unknown names are turned away is said at start. */
  needsReload(plan: IngressPlan["certificates"]): boolean {
    return plan.has("") !== this.#files.has(DEFAULT_CERTIFICATE);
  }

  async follow(plan: IngressPlan["certificates"], session: RuntimeSession): Promise<void> {
    if (plan === this.#plan) return;
    if (this.#plan !== undefined && plan.size === this.#plan.size) {
      const was = this.#plan;
      if ([...plan].every(([name, certificate]) => was.get(name) === certificate)) return;
    }
    const next = new Map(certificateFiles(plan).map((file) => [file.file, file]));
    const list = CERTIFICATES;
    for (const file of next.values()) {
      const path = join(this.#directory, file.file);
      const had = this.#files.get(file.file);
      if (had?.text !== file.text) {
        await writeWhole(path, file.text);
        await session.run([
          ...(had === undefined ? [newCertificate(path)] : []),
          setCertificate(path, file.text),
          commitCertificate(path),
        ]);
      }
      if (had?.names.join(" ") === file.names.join(" ")) continue;
      const old = had === undefined ? [] : linesOf((await session.run([showList(list)]))[0]!, path);
      // The new lines first: a name that stays is never without a certificate.
      await session.run(inLines(file.names).map((line) => addToList(list, `${path} ${line}`)));
      for (const line of old.toReversed()) await session.run([deleteFromList(list, path, line)]);
    }
    for (const { file } of this.#files.values()) {
      if (next.has(file)) continue;
      const path = join(this.#directory, file);
      const lines = linesOf((await session.run([showList(list)]))[0]!, path);
      await session.run([
        ...lines.toReversed().map((line) => deleteFromList(list, path, line)),
        deleteCertificate(path),
      ]);
      await rm(path, { force: true });
    }
    await writeWhole(join(this.#directory, CERTIFICATES), [...next.values()].map(listLines).join(""));
    this.#files = next;
    this.#plan = plan;
  }
}
