import { startApiServer } from "../../src/apiserver/start.ts";
import { newSigningKey } from "../../src/apiserver/tokens/keys.ts";
import { legacySigner } from "../../src/apiserver/tokens/legacy.ts";
import { startControllers } from "../../src/controllers/start.ts";
import { createClient } from "../../src/client/connect.ts";
import { systemClock } from "../../src/observe/clock.ts";
import { silentLog } from "../../src/observe/log.ts";
import { memoryStore } from "../../src/store/memory/memory.ts";
import type { Pair } from "../apiserver/certificates.ts";
import type { Endpoint, SubjectOptions } from "./subject.ts";

/** Fairlead's API server over a store in memory, and its controllers when they are asked for. */
export async function startFairlead(
  given: SubjectOptions & { ca: string; server: Pair; admin: Pair },
): Promise<Endpoint> {
  const store = memoryStore();
  const signing = newSigningKey();
  const api = await startApiServer({
    store,
    serviceRanges: given.serviceRanges ?? ["10.96.0.0/16", "fd00:10:96::/112"],
    nodePortRange: given.nodePortRange ?? { first: 30000, last: 32767 },
    advertise: { ip: given.serviceRanges?.[0]?.includes(":") ? "fd00:244::1" : "10.244.0.1", port: 6443 },
    allowExternalIPs: given.denyExternalIPs !== true,
    disabledAdmissions: given.serviceAccounts === true ? [] : ["ServiceAccount"],
    tls: { ...given.server, ca: given.ca },
    serviceAccountKeys: { signing, verifying: [] },
    clock: systemClock,
    log: silentLog,
  });
  const port = await api.listen({ host: "127.0.0.1", port: 0 });
  const client = createClient({ server: `https://127.0.0.1:${port}`, ca: given.ca, ...given.admin });
  const controllers =
    given.controllers === true
      ? await startControllers({
          client,
          clock: systemClock,
          random: Math.random,
          log: silentLog,
          authority: { ca: given.ca, signToken: legacySigner(signing) },
        })
      : undefined;
  return {
    port,
    async close() {
      await controllers?.stop();
      client.close();
      await api.close();
      await store.close();
    },
  };
}
