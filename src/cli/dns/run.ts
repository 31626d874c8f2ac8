import { hostname } from "node:os";
import type { DnsConfiguration } from "../../dns/configuration/configuration.ts";
import type { Corefile } from "../../dns/configuration/corefile/corefile.ts";
import { createHttp } from "../../dns/http/http.ts";
import { reachedAt } from "../../dns/server/own-addresses.ts";
import { hostPort } from "../../net/ip.ts";
import { hostResolver, RESOLV_CONF } from "../../node/network-files/host-resolver.ts";
import { systemClock } from "../../observe/clock.ts";
import { createLog, toDescriptor, type Log } from "../../observe/log.ts";
import { stayAwake } from "../../observe/stay-awake.ts";
import { tidyAfterStart } from "../../observe/tidy.ts";
import type { AccessWish } from "../api-access.ts";
import { Failure, UsageError } from "../failure.ts";
import { random } from "../site/parts/part.ts";
import { askedToEnd } from "../signals.ts";
import { checkRegister } from "./check-register.ts";
import type { DnsRun } from "./dns-flags.ts";
import { followCorefile } from "./follow-corefile.ts";
import { startInstance, type Instance, type InstanceGiven } from "./instance.ts";

const STDERR = 2;

/** A configuration, and the Corefile it came from. */
export interface Read {
  readonly configuration: DnsConfiguration;
  readonly corefile?: Corefile & { readonly text: string };
}

/** What was said about the API server: a flag is stronger than a Corefile. */
function accessOf(run: DnsRun, access: Corefile["access"]): AccessWish {
  const kubeconfig = run.kubeconfig ?? access?.kubeconfig?.file;
  const isOfCorefile = run.kubeconfig === undefined;
  return {
    kubeconfig,
    context: run.context ?? (isOfCorefile ? access?.kubeconfig?.context : undefined),
    server: run.server ?? (isOfCorefile ? access?.endpoint : undefined),
    tls: isOfCorefile ? access?.tls : undefined,
  };
}

/**
 * The search lists of pods are known for certain only where somebody says which Node this is: then the resolver of this host is what the
 * Node's pods have behind the cluster's own domains.
 */
async function searchOf({ shortcut, nodeName }: DnsRun): Promise<InstanceGiven["search"]> {
  // Pods are known even so: one of them may be wanted in the query log.
  if (!shortcut || nodeName === undefined) return { hostSearches: undefined };
  return { hostSearches: (await hostResolver(RESOLV_CONF))?.searches, nodeName };
}

const servesPortZero = ({ servers }: DnsConfiguration): boolean => servers.some(({ port }) => port === 0);

async function start(given: InstanceGiven, run: DnsRun, log: Log, looped: (error: Error) => void): Promise<Instance> {
  if (run.workers === 1) return startInstance(given, log, looped);
  if (servesPortZero(given.configuration)) {
    throw new UsageError("--workers: several threads need a port that is named, and --listen has port 0");
  }
  const { startThreads } = await import("./threads.ts");
  return startThreads(run.workers, given, log, run.logLevel, looped);
}

/** Answers until it is told to end. */
export async function runDns(run: DnsRun, read: Read): Promise<number> {
  const log = createLog("dns", run.logLevel, toDescriptor(STDERR));
  if (run.register.length > 0) checkRegister(read.configuration, reachedAt);
  const { asked, again } = askedToEnd();
  for (const warning of read.corefile?.warnings ?? []) log.warn({}, warning);
  const given: InstanceGiven = {
    configuration: read.configuration,
    access: accessOf(run, read.corefile?.access),
    register: run.register,
    nodeName: (run.nodeName ?? hostname()).toLowerCase(),
    search: await searchOf(run),
    reusePort: false,
  };
  const work = async (): Promise<void> => {
    let { configuration } = read;
    let isEnding = false;
    const looped = Promise.withResolvers<never>();
    looped.promise.catch(() => {});
    const instance = await start(given, run, log, ({ message }) => looped.reject(new Failure(message))).catch(
      (cause: unknown) => {
        if (cause instanceof Failure || cause instanceof UsageError) throw cause;
        throw new Failure((cause as Error).message, { cause });
      },
    );
    const hasCluster = (): boolean => configuration.servers.some(({ kubernetes }) => kubernetes !== undefined);
    const http = createHttp({
      notReady: () => (hasCluster() && !instance.isReady() ? ["kubernetes"] : []),
      isEnding: () => isEnding,
      metrics: async () => [await instance.metrics(), (await followed?.metrics()) ?? ""].join(""),
    });
    const followed =
      read.corefile === undefined || run.corefile === undefined
        ? undefined
        : followCorefile(run.corefile, read.corefile, {
            log,
            random,
            take: async (next, signal) => {
              await instance.configure(next, signal);
              try {
                await http.serve(next);
              } catch (error) {
                await instance.configure(configuration, signal);
                throw error;
              }
              configuration = next;
            },
          });
    try {
      await http.serve(configuration).catch((cause: Error) => {
        throw new Failure(cause.message, { cause });
      });
      const at = instance.listening.map(({ address, port }) => hostPort(address, port));
      log.info({ listening: at }, "cluster DNS listens");
      void instance.synced().then(() => tidyAfterStart(systemClock));
      await Promise.race([asked, looped.promise]);
      isEnding = true;
      const { lameduck = 0 } = configuration.health ?? {};
      if (lameduck > 0) {
        log.info({ milliseconds: lameduck }, "asked to end: queries are answered a while longer");
        await Promise.race([again, new Promise<void>((resolve) => systemClock.after(lameduck, resolve))]);
      }
    } finally {
      followed?.stop();
      await http.close();
      await instance.stop();
    }
  };
  await stayAwake(work());
  log.info({}, "ended");
  return 0;
}
