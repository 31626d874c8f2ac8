import { readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { createClient } from "../../client/connect.ts";
import { systemHost } from "../../host/processes.ts";
import { watchFile } from "../../host/watched-file.ts";
import { systemClock } from "../../observe/clock.ts";
import { createLog, toDescriptor, type Log } from "../../observe/log.ts";
import { stayAwake } from "../../observe/stay-awake.ts";
import { tidyAfterStart } from "../../observe/tidy.ts";
import { apiAccess } from "../api-access.ts";
import { Failure } from "../failure.ts";
import { kernelFamilies } from "../families.ts";
import { chooseEngine, cleanOtherEngines, type EngineGround } from "../proxy-engines.ts";
import { random } from "../site/parts/part.ts";
import { engineOptions } from "./engine-options.ts";
import { setConntrack } from "./conntrack-settings.ts";
import { startNodeProxy } from "./node-proxy.ts";
import type { ProxyConfiguration } from "./proxy-flags.ts";

const STDERR = 2;
const CLEAN_WITHIN = 120_000;

const logOf = ({ configuration, warnings }: ProxyConfiguration): Log => {
  const log = createLog("proxy", configuration.logging.verbosity >= 4 ? "debug" : "info", toDescriptor(STDERR));
  for (const warning of warnings) log.warn({}, warning);
  return log;
};

const groundOf = async (log: Log, { configuration }: ProxyConfiguration): Promise<EngineGround> => ({
  ...engineOptions(configuration),
  host: systemHost(),
  families: await kernelFamilies(),
  clock: systemClock,
  random,
  log,
});

const wishOf = (mode: string): Parameters<typeof chooseEngine>[0] =>
  (mode === "" ? "auto" : mode) as Parameters<typeof chooseEngine>[0];

/** `--cleanup`: takes away the rules of every mode (PRX-268). */
export async function cleanAll(read: ProxyConfiguration): Promise<number> {
  const ground = await groundOf(logOf(read), read);
  try {
    await stayAwake(cleanOtherEngines(undefined, ground, AbortSignal.timeout(CLEAN_WITHIN)));
  } catch (cause) {
    throw new Failure((cause as Error).message, { cause });
  }
  return 0;
}

/** Takes a machine that is short of memory as it is told to (PRX-242). */
function setOomScore(score: number, log: Log): void {
  try {
    writeFileSync("/proc/self/oom_score_adj", String(score));
  } catch (error) {
    log.warn({ score, error: (error as Error).message }, "oomScoreAdj could not be set: that needs root's rights");
  }
}

/** `--init-only`: what needs all of root's rights; the proxy itself then needs CAP_NET_ADMIN (PRX-255). */
export async function initOnly(read: ProxyConfiguration): Promise<number> {
  const ground = await groundOf(logOf(read), read);
  const { engine } = await stayAwake(chooseEngine(wishOf(read.configuration.mode), ground));
  await engine.close();
  await setConntrack(read.configuration.conntrack, (_type, reason, message) => ground.log.warn({ reason }, message));
  return 0;
}

/** Ends with the first signal; rules stay (PRX-266). */
const askedToEnd = (): Promise<void> =>
  new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.once(signal, () => resolve());
  });

/** Rejects when the file is another one than at the start, so that whoever started us does it again with what it says now (PRX-254). */
function fileChanged(path: string | undefined): { readonly changed: Promise<never>; readonly stop: () => void } {
  if (path === undefined) return { changed: new Promise(() => {}), stop: () => {} };
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => {});
  const read = (): string | undefined => {
    try {
      return readFileSync(path, "utf8");
    } catch {
      return undefined;
    }
  };
  const was = read();
  const stop = watchFile(path, 1_000, () => {
    if (read() !== was)
      reject(new Failure(`the configuration ${path} has changed; started again, the proxy does what it says now`));
  });
  return { changed: promise, stop };
}

/** Carries one node's Service traffic until it is told to end. */
export async function runProxy(
  read: ProxyConfiguration,
  { master, configFile }: { readonly master: string | undefined; readonly configFile: string | undefined },
): Promise<number> {
  const { configuration } = read;
  const log = logOf(read);
  const ended = askedToEnd();
  const file = fileChanged(configFile);
  const nodeName = (configuration.hostnameOverride.trim() || hostname()).toLowerCase();
  const kubeconfig = configuration.clientConnection.kubeconfig || undefined;
  const client = createClient(apiAccess({ kubeconfig, server: master }, process.env, "fairlead-proxy"));
  const ground = await groundOf(log, read);
  setOomScore(configuration.oomScoreAdj, log);
  const stopping = new AbortController();
  const work = async (): Promise<void> => {
    const proxy = await startNodeProxy({
      client,
      ground,
      configuration,
      nodeName,
      wish: wishOf(configuration.mode),
      signal: stopping.signal,
    });
    void proxy.ready.then(() => {
      log.info({ node: nodeName }, "the rules are written");
      tidyAfterStart(systemClock);
    });
    try {
      await Promise.race([ended, file.changed, proxy.over]);
    } finally {
      await proxy.stop();
    }
  };
  try {
    // Before it has started there is nothing to stop.
    await stayAwake(
      Promise.race([
        work(),
        ended.then(() => stopping.abort()).then(() => new Promise<void>((resolve) => setTimeout(resolve, 5_000))),
      ]),
    );
  } finally {
    file.stop();
    client.close();
  }
  log.info({}, "ended; rules stay");
  return 0;
}
