import { createWriteStream } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createWorkQueue } from "../../../client/work-queue.ts";
import { duplicate } from "../../../host/duplicate.ts";
import type { Listener, ListenerOpener } from "../../../ingress/engine.ts";
import { openDoorPages } from "../../../ingress/pages/pages.ts";
import { ensureDoor, INGRESS_CONTROLLER, INGRESS_NAMESPACE, INGRESS_SERVICE } from "../../../ingress/registration.ts";
import { systemClock } from "../../../observe/clock.ts";
import { wellKnownAddresses } from "../../config.ts";
import { layoutOf } from "../../data/layout.ts";
import { startDoor } from "../../ingress/door.ts";
import { random, type Ground, type RunningPart } from "./part.ts";

/** As ingress-nginx's: `/healthz` and `/metrics`. */
const PAGES_PORT = 10254;
/** Milliseconds that requests which are under way have when Fairlead ends: it stays reachable, and is waited for. */
const DRAIN = { stop: 5_000, remove: 1_000 } as const;
const WILDCARDS = ["0.0.0.0", "::"] as const;

/** HTTP of Ingresses, at every address of this site and at a load balancer's. */
export async function startIngressPart({ host, client, log, given }: Ground): Promise<RunningPart> {
  const { config, sockets, door } = given;
  if (door === undefined) throw new Error("starting Ingress: it was not told its ports");
  const layout = layoutOf(config.directory);
  const { gateways } = wellKnownAddresses(config);
  const addresses = sockets === undefined ? WILDCARDS : [...new Set(sockets.map(({ ip }) => ip))];
  const listeners = addresses.flatMap((address): Listener[] => [
    { address, port: door.http, tls: false, proxyProtocol: false },
    { address, port: door.https, tls: true, proxyProtocol: false },
  ]);
  const open: ListenerOpener | undefined =
    sockets === undefined
      ? undefined
      : ({ address, port }) => {
          const held = sockets.find((one) => one.ip === address && one.port === port);
          return held === undefined ? undefined : duplicate(held.fd);
        };
  const requests =
    config.ingressAccessLog === undefined
      ? undefined
      : createWriteStream(config.ingressAccessLog, { flags: "a", mode: 0o640 });
  requests?.on("error", (error) => log.warn({ error: error.message }, "requests cannot be written to the access log"));
  const running = await startDoor({
    client,
    host,
    log,
    wish: config.ingress === "off" ? "auto" : config.ingress,
    listeners,
    open,
    trust: { from: [] },
    requests: requests === undefined ? undefined : (text, done) => void requests.write(text, done),
    directory: join(layout.run, "ingress"),
    controller: INGRESS_CONTROLLER,
    // An Ingress may have come before the class that it would have been given.
    withoutClass: true,
    namespace: undefined,
    exposure: { service: `${INGRESS_NAMESPACE}/${INGRESS_SERVICE}` },
    defaultBackend: undefined,
    defaultCertificate: undefined,
    identity: config.nodeName,
  });
  running.failed.catch((error: unknown) => {
    // What died is started again.
    process.nextTick(() => {
      throw error;
    });
  });
  const registering = createWorkQueue({
    concurrency: 1,
    clock: systemClock,
    random,
    log,
    work: (_key, signal) =>
      ensureDoor(
        client,
        { addresses: gateways, http: door.http, https: door.https, nodeName: config.nodeName },
        signal,
      ),
  });
  registering.add(INGRESS_SERVICE);
  const tells = {
    isReady: () => running.controller.isReady,
    isEnding: () => false,
    metrics: () => running.figures.text(),
  };
  const opening = openDoorPages(
    `${gateways[0]!.includes(":") ? `[${gateways[0]}]` : gateways[0]}:${PAGES_PORT}`,
    tells,
  ).catch((error: Error) => {
    log.warn({ error: error.message }, "the pages of Ingress cannot be opened");
    return undefined;
  });
  const facts = { engine: running.engineName, http: door.http, https: door.https };
  await writeFile(layout.ingress, JSON.stringify(facts)).catch((error: Error) =>
    log.warn({ error: error.message }, "where Ingress is served could not be written down for 'fairlead status'"),
  );
  const end = (how: keyof typeof DRAIN) => async (): Promise<void> => {
    await registering.stop();
    await running.stop(DRAIN[how]);
    await (await opening)?.close();
    requests?.end();
  };
  return { ready: running.controller.ready, stop: end("stop"), remove: end("remove") };
}
