import { parentPort, workerData } from "node:worker_threads";
import type { SystemConfig } from "../config.ts";
import { certificates } from "./certificates.ts";

/** Issues the certificates of a first start, and ends. */
const { config, nodeAddresses } = workerData as { config: SystemConfig; nodeAddresses: readonly string[] };
parentPort!.postMessage(await certificates(config, nodeAddresses));
