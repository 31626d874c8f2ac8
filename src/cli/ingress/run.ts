import { createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import type { Writable } from "node:stream";
import { createClient } from "../../client/connect.ts";
import { takenBy } from "../../host/port-holder.ts";
import { systemHost } from "../../host/processes.ts";
import type { TakeText } from "../../ingress/access-log/writer.ts";
import type { Listener } from "../../ingress/engine.ts";
import { openDoorPages } from "../../ingress/pages/pages.ts";
import { hostPort } from "../../net/ip.ts";
import { systemClock } from "../../observe/clock.ts";
import type { ListenAddress } from "../../observe/http.ts";
import { createLog, toDescriptor, type Log } from "../../observe/log.ts";
import { stayAwake } from "../../observe/stay-awake.ts";
import { tidyAfterStart } from "../../observe/tidy.ts";
import { apiAccess } from "../api-access.ts";
import { Failure, UsageError } from "../failure.ts";
import { kernelFamilies } from "../families.ts";
import { askedToEnd } from "../signals.ts";
import { startDoor, type RunningDoor } from "./door.ts";
import type { IngressRun } from "./ingress-flags.ts";
import { assurePorts } from "./ports.ts";

const STDERR = 2;
const OTHER_PAGES = "end it, or choose another port with --healthz-port or --metrics-bind-address";

async function addressesOf({ bind }: IngressRun): Promise<readonly string[]> {
  if (bind.length > 0) return bind;
  const families = await kernelFamilies();
  return families.map((family) => (family === "IPv4" ? "0.0.0.0" : "::"));
}

/** Where lines of requests go. */
function requestsOf({ accessLog }: IngressRun, log: Log): { readonly take: TakeText; end(): void } | undefined {
  if (accessLog === undefined) return undefined;
  const stream: Writable =
    accessLog === "-" ? process.stdout : createWriteStream(accessLog, { flags: "a", mode: 0o640 });
  stream.on("error", (error) =>
    log.warn({ error: error.message }, "requests cannot be written to the access log; they are served all the same"),
  );
  return {
    take: (text, done) => void stream.write(text, done),
    end: () => {
      if (stream !== process.stdout) stream.end();
    },
  };
}

/** The pages, each address once. */
async function openPages(run: IngressRun, door: RunningDoor, isEnding: () => boolean) {
  const tells = { isReady: () => door.controller.isReady, isEnding, metrics: () => door.figures.text() };
  const addresses = [run.health, run.metrics].filter((one): one is ListenAddress => one !== undefined);
  const different = new Map(addresses.map((one) => [hostPort(one.host, one.port), one]));
  const pages = [];
  for (const [text, { host, port }] of different) {
    const opened = await openDoorPages(text, tells).catch(async (cause: Error) => {
      if ((cause.cause as NodeJS.ErrnoException | undefined)?.code !== "EADDRINUSE") throw cause;
      const whose = await takenBy("TCP", host, port);
      throw new Failure(`serving /healthz and /metrics on TCP ${host} port ${port}: ${whose}; ${OTHER_PAGES}`, {
        cause,
      });
    });
    pages.push(opened);
  }
  return pages;
}

/** Serves Ingresses until it is told to end: what is under way comes to its end first, at a second signal it is cut. */
export async function runIngress(run: IngressRun): Promise<number> {
  const log = createLog("ingress", run.logLevel, toDescriptor(STDERR));
  const { asked, again } = askedToEnd();
  const work = async (): Promise<void> => {
    const client = createClient(
      apiAccess(
        { kubeconfig: run.kubeconfig, context: run.context, server: run.server },
        process.env,
        "fairlead-ingress",
      ),
    );
    const directory = await mkdtemp(join(tmpdir(), "fairlead-ingress-"));
    const requests = requestsOf(run, log);
    const addresses = await addressesOf(run);
    const listeners = addresses.flatMap((address): Listener[] => [
      { address, port: run.httpPort, tls: false, proxyProtocol: run.proxyProtocol },
      { address, port: run.httpsPort, tls: true, proxyProtocol: run.proxyProtocol },
    ]);
    await assurePorts(listeners);
    let isEnding = false;
    let door: RunningDoor | undefined;
    let pages: Awaited<ReturnType<typeof openPages>> = [];
    try {
      door = await startDoor({
        client,
        host: systemHost(),
        log,
        wish: run.engine,
        listeners,
        trust: run.trust,
        requests: requests?.take,
        directory,
        controller: run.controller,
        ingressClass: run.ingressClass,
        withoutClass: run.withoutClass,
        namespace: run.namespace,
        exposure: run.exposure,
        defaultBackend: run.defaultBackend,
        defaultCertificate: run.defaultCertificate,
        identity: `${hostname()}_${process.pid}`,
      });
      pages = await openPages(run, door, () => isEnding);
      void door.controller.ready.then(
        () => {
          const at = door!.listening().map(({ address, port }) => hostPort(address, port));
          log.info({ listening: at, engine: door!.engineName }, "Ingress is served");
          tidyAfterStart(systemClock);
        },
        () => {},
      );
      await Promise.race([asked, door.failed, door.controller.ready.then(() => new Promise<never>(() => {}))]);
      isEnding = true;
      log.info({ milliseconds: run.drain }, "asked to end: what is under way comes to its end first");
      const its = door;
      door = undefined;
      await Promise.race([its.stop(run.drain), again.then(() => its.stop(0))]);
    } catch (cause) {
      if (cause instanceof Failure || cause instanceof UsageError) throw cause;
      throw new Failure((cause as Error).message, { cause });
    } finally {
      for (const page of pages) await page.close();
      await door?.stop(0);
      requests?.end();
      client.close();
      await rm(directory, { recursive: true, force: true });
    }
  };
  await stayAwake(work());
  log.info({}, "ended");
  return 0;
}
