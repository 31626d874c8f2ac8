import type { Host } from "../../host/host.ts";
import type { AccessLog } from "../../ingress/access-log.ts";
import type { EngineGround, IngressEngine, IngressEngineName } from "../../ingress/engine.ts";
import type { Clock } from "../../observe/clock.ts";
import type { Log } from "../../observe/log.ts";
import { Failure } from "../failure.ts";

/** What engines of Ingress are made from. */
export interface IngressEngineGround extends EngineGround {
  /** Counts, and writes where that is wanted. */
  readonly accessLog: AccessLog;
  /** Each request is to be written down. Else an engine that is another program need not tell of it. */
  readonly writesRequests: boolean;
  readonly host: Host;
  readonly clock: Clock;
  /** From 0 up to, but not including, 1. */
  readonly random: () => number;
  readonly log: Log;
  /** For an engine's files and sockets. */
  readonly directory: string;
  /** Where https is served, as clients see it. */
  readonly httpsPort: number;
  /** Threads of HAProxy's; as many as there are cores unless told. */
  readonly threads?: number;
}

/** Names a HAProxy that is not in PATH. */
const VARIABLE = "FAIRLEAD_HAPROXY";
/** The oldest one whose runtime API does what is asked of it. */
const LEAST = [2, 6] as const;

/** A HAProxy that will do, or why there is none, as the end of a sentence. */
async function findHaproxy(host: Host): Promise<{ readonly path: string } | { readonly why: string }> {
  const path = process.env[VARIABLE] ?? (await host.which("haproxy"));
  if (path === undefined) return { why: "haproxy is not installed; its Debian package is haproxy" };
  const { code, stdout } = await host.run(path, ["-v"]).catch((error: Error) => ({ code: 1, stdout: error.message }));
  const [, major = "0", minor = "0"] = /version (\d+)\.(\d+)/.exec(stdout) ?? [];
  const isNew = Number(major) > LEAST[0] || (Number(major) === LEAST[0] && Number(minor) >= LEAST[1]);
  if (code === 0 && isNew) return { path };
  return { why: `${path} is no HAProxy ${LEAST.join(".")} or newer: it says ${JSON.stringify(stdout.split("\n")[0])}` };
}

const builtin = async (ground: IngressEngineGround): Promise<IngressEngine> => {
  const { createBuiltinEngine } = await import("../../ingress/engines/builtin/builtin.ts");
  return createBuiltinEngine(ground);
};

const haproxy = async (ground: IngressEngineGround, path: string): Promise<IngressEngine> => {
  const [{ createBuiltinEngine }, { createHaproxyEngine }] = await Promise.all([
    import("../../ingress/engines/builtin/builtin.ts"),
    import("../../ingress/engines/haproxy/haproxy.ts"),
  ]);
  return createHaproxyEngine({
    ...ground,
    accessLog: ground.writesRequests ? ground.accessLog : undefined,
    haproxy: path,
    behind: (inner) => createBuiltinEngine({ ...ground, ...inner, accessLog: ground.accessLog }),
  });
};

/** The engine that is wished for; with `auto` HAProxy where it is installed. Throws Failure when it is not there and was asked for by name. */
export async function chooseIngressEngine(
  wish: "auto" | IngressEngineName,
  ground: IngressEngineGround,
): Promise<IngressEngine> {
  if (wish === "builtin") return builtin(ground);
  const found = await findHaproxy(ground.host);
  if ("path" in found) return haproxy(ground, found.path);
  if (wish === "haproxy") throw new Failure(`choosing what carries Ingress: ${found.why}`);
  ground.log.info({ why: found.why }, "Ingress is carried by the builtin engine");
  return builtin(ground);
}
