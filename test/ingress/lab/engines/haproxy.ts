import { mkdtemp, rm } from "node:fs/promises";
import { systemHost } from "../../../../src/host/processes.ts";
import { createHaproxyEngine } from "../../../../src/ingress/engines/haproxy/haproxy.ts";
import { systemClock } from "../../../../src/observe/clock.ts";
import { silentLog } from "../../../../src/observe/log.ts";
import { haproxy as program, WITHOUT_HAPROXY } from "../../../lab/haproxy.ts";
import type { EngineSubject } from "../door.ts";
import { builtinEngine } from "./builtin-engine.ts";

/** It builds each request anew from what it has read, so that whoever is behind it cannot read it in another way. */
const OWN_READINGS: ReadonlyMap<string, string> = new Map([
  ["both lengths, Content-Length first", "Content-Length is left out (RFC 9112 §6.3)"],
  ["both lengths, Transfer-Encoding first", "Content-Length is left out (RFC 9112 §6.3)"],
  ["two Content-Length that agree", "one is left (RFC 9110 §8.6)"],
  ["a list of equal ones in Content-Length", "one is left (RFC 9110 §8.6)"],
  ["Transfer-Encoding folded", "lines are unfolded (RFC 9112 §5.2)"],
  ["a folded header line", "lines are unfolded (RFC 9112 §5.2)"],
  ["a header line that ends with a line feed alone", "it ends the line (RFC 9112 §2.2)"],
  ["a head that ends with a line feed alone", "it ends the line (RFC 9112 §2.2)"],
  ["every line ends with a line feed alone", "it ends the line (RFC 9112 §2.2)"],
  ["a chunk size that ends with a line feed alone", "it ends the line, and bodies are cut into chunks anew"],
  ["a chunk that ends with a line feed alone", "it ends the line, and bodies are cut into chunks anew"],
  ["two Host that agree", "one is left"],
  ["a Host with a port that is none", "hosts are compared without a port"],
  ["a method that nobody knows, of 8 kB", "it is a method"],
  ["a head of 100 kB", "it is answered 400"],
  ["5,000 header lines", "it is answered 400"],
  ["more after a body than its length says", "it is another request, and answered 400"],
  ["HTTP/2: a host that is another than :authority", "Host is what :authority says (RFC 9113 §8.3.1)"],
]);

/** Debian's HAProxy, with the built-in engine behind it for what it cannot do. */
export const haproxy: EngineSubject = {
  name: "haproxy",
  missing: program === undefined ? WITHOUT_HAPROXY : undefined,
  ownReadings: OWN_READINGS,
  // HAProxy 2.6 looks once at what has come and takes nothing less than a whole header; senders must send it at once (PROXY protocol §2).
  wantsProxyHeaderWhole: true,
  async create(ground) {
    const directory = await mkdtemp("/var/tmp/fairlead-suite-");
    const engine = createHaproxyEngine({
      ...ground,
      host: systemHost(),
      haproxy: program!,
      directory,
      clock: systemClock,
      random: Math.random,
      log: silentLog,
      behind: builtinEngine,
      threads: 1,
    });
    return {
      name: engine.name,
      failed: engine.failed,
      get listening() {
        return engine.listening;
      },
      apply: async (plan) => engine.apply(plan),
      async stop(drain) {
        await engine.stop(drain);
        await rm(directory, { recursive: true, force: true });
      },
    };
  },
};
