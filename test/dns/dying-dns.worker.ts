/** A thread of DNS that dies as soon as there is a file of this name, which it takes away. */
import { existsSync, unlinkSync } from "node:fs";
import { workerData } from "node:worker_threads";
import type { ThreadGiven } from "../../src/cli/dns/protocol.ts";
import "../../src/cli/dns/dns.worker.ts";

const { worker } = workerData as ThreadGiven;
const file = `${process.env["DYING_DNS"]}.${worker}`;
setInterval(() => {
  if (!existsSync(file)) return;
  unlinkSync(file);
  throw new Error("told to die");
}, 5).unref();
