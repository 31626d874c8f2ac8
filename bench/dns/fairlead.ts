/** Fairlead's DNS as people start it, a process of its own beside an API server. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { contenderOf, startProgram, type Contender } from "../contender.ts";
import { KNOWN } from "./cluster.ts";
import { freePort } from "../free-port.ts";
import { writeCorefile, type CorefileOptions } from "./corefile.ts";
import { answers } from "./question.ts";

const FAIRLEAD = join(import.meta.dirname, "../../bin/fairlead");

/** With the very Corefile that CoreDNS is given. */
export async function startFairlead(folder: string, options: CorefileOptions): Promise<Contender> {
  const port = freePort();
  const args = ["dns", "--corefile", writeCorefile(folder, port, options), "--workers", `${options.workers ?? 1}`];
  return (await startProgram({ name: "Fairlead", program: FAIRLEAD, args, port, isServing: answers(port, KNOWN) }))!;
}

/** What a process of Node takes that does nothing; one half second after its start. */
export async function emptyProcess(): Promise<Contender> {
  const child = spawn(process.execPath, ["--eval", "setInterval(() => {}, 1e6)"], { stdio: "ignore" });
  await pause(500);
  return contenderOf("an empty Node process", 0, [child]);
}
