/** Fairlead's DNS as a process of its own, a client of an API server. */
import { usualBlock, usualCache, usualForward, usualKubernetes } from "../../src/dns/configuration/usual.ts";
import { startDns } from "../../src/dns/dns.ts";
import { systemClock } from "../../src/observe/clock.ts";
import { silentLog } from "../../src/observe/log.ts";
import { clientOf, forked, whenAlone, type Access } from "../api-process.ts";
import { contenderOf, type Contender } from "./contender.ts";
import { ZONE } from "./cluster.ts";

interface Given extends Access {
  /** Where an upstream resolver is. */
  readonly upstream: number;
}

/** Resolves when all names have been listed. */
export async function startFairlead({ port, ca, key, cert }: Access, upstream: number): Promise<Contender> {
  const given: Given = { port, ca, key, cert, upstream };
  const [child, ready] = await forked(import.meta.filename, "dns", JSON.stringify(given));
  return contenderOf("Fairlead", (ready as { port: number }).port, [child]);
}

/** What a process of ours takes that does nothing. */
export async function emptyProcess(): Promise<Contender> {
  const [child] = await forked(import.meta.filename, "empty");
  return contenderOf("an empty Node process", 0, [child]);
}

async function serve({ upstream, ...access }: Given): Promise<void> {
  const client = clientOf(access);
  const dns = await startDns({
    client,
    clock: systemClock,
    random: Math.random,
    log: silentLog,
    configuration: {
      servers: [
        {
          ...usualBlock,
          port: 0,
          bind: ["127.0.0.1"],
          kubernetes: usualKubernetes(ZONE),
          forward: [usualForward([{ address: "127.0.0.1", port: upstream }])],
          cache: usualCache,
          loadbalance: true,
        },
      ],
    },
  });
  await dns.synced();
  process.send!({ port: dns.listening[0]!.port });
  whenAlone(() => dns.stop().then(() => client.close()));
}

const [, file, role, given = ""] = process.argv;
if (file === import.meta.filename && role === "dns") await serve(JSON.parse(given) as Given);
if (file === import.meta.filename && role === "empty") {
  process.send!({});
  whenAlone(async () => {});
}
