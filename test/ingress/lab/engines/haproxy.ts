import { mkdtemp, rm } from "node:fs/promises";
import { systemHost } from "../../../../src/host/processes.ts";
import { createHaproxyEngine } from "../../../../src/ingress/engines/haproxy/haproxy.ts";
import { systemClock } from "../../../../src/observe/clock.ts";
import { silentLog } from "../../../../src/observe/log.ts";
import { haproxy as program, WITHOUT_HAPROXY } from "../../../lab/haproxy.ts";
import type { EngineSubject } from "../door.ts";
import { builtinEngine } from "./builtin-engine.ts";

/** Debian's HAProxy, with the built-in engine behind it for what it cannot do. */
export const haproxy: EngineSubject = {
  name: "haproxy",
  missing: program === undefined ? WITHOUT_HAPROXY : undefined,
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
