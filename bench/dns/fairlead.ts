/** Fairlead's DNS as people start it, a process of its own beside an API server. */
import { join } from "node:path";
import { contenderOf, startProgram, type Contender } from "./contender.ts";
import { forked, whenAlone } from "../api-process.ts";
import { KNOWN } from "./cluster.ts";
import { freePort, writeCorefile, type CorefileOptions } from "./corefile.ts";

const FAIRLEAD = join(import.meta.dirname, "../../bin/fairlead");

/** With the very Corefile that CoreDNS is given. */
export async function startFairlead(folder: string, options: CorefileOptions): Promise<Contender> {
  const port = freePort();
  const args = ["dns", "--corefile", writeCorefile(folder, port, options), "--workers", `${options.workers ?? 1}`];
  return (await startProgram({ name: "Fairlead", program: FAIRLEAD, args, port, until: KNOWN }))!;
}

/** What a process of Node takes that does nothing. */
export async function emptyProcess(): Promise<Contender> {
  const [child] = await forked(import.meta.filename, "empty");
  return contenderOf("an empty Node process", 0, [child]);
}

const [, file, role] = process.argv;
if (file === import.meta.filename && role === "empty") {
  process.send!({});
  whenAlone(async () => {});
}
