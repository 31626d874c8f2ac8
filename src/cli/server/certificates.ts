import { existsSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { ensurePki, type Pki } from "../../apiserver/pki/pki.ts";
import { kubernetesNames } from "../../apiserver/pki/plan.ts";
import { systemClock } from "../../observe/clock.ts";
import { wellKnownAddresses, type SystemConfig } from "../config.ts";
import { layoutOf } from "../data/layout.ts";
import { openLog } from "../data/log-file.ts";

/** What clients may call the API server. */
const serverNames = (config: SystemConfig, nodeAddresses: readonly string[]) => ({
  dns: kubernetesNames(config.clusterDomain),
  ips: [
    ...new Set([
      ...(/^[\d.]+$|:/.test(config.listen.host) && config.listen.host !== "0.0.0.0" && config.listen.host !== "::"
        ? [config.listen.host]
        : []),
      ...nodeAddresses,
      wellKnownAddresses(config).kubernetes,
    ]),
  ],
});

/** Reads the certificates, and issues those that are missing or no longer serve. */
export function certificates(config: SystemConfig, nodeAddresses: readonly string[]): Promise<Pki> {
  const layout = layoutOf(config.directory);
  return ensurePki({
    directory: layout.pki,
    names: serverNames(config, nodeAddresses),
    nodeName: config.nodeName,
    clock: systemClock,
    log: openLog(layout, "certificates", config.logLevel),
  });
}

/**
 * As {@link certificates}, but a first start issues them in a thread of its own: what issues certificates is as large as the rest of
 * the server, and its 20 MB go with the thread.
 */
export function certificatesBeside(config: SystemConfig, nodeAddresses: readonly string[]): Promise<Pki> {
  if (existsSync(join(layoutOf(config.directory).pki, "ca.crt"))) return certificates(config, nodeAddresses);
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./certificates.worker.ts", import.meta.url), {
      workerData: { config, nodeAddresses },
      name: "certificates",
    });
    worker.once("message", resolve);
    worker.once("error", reject);
  });
}
