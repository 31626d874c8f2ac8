import { systemClock } from "../../observe/clock.ts";
import { tidyAfterStart } from "../../observe/tidy.ts";
import { processConfig } from "../process.ts";
import { hearOrders, tell } from "../supervisor/protocol.ts";
import type { Part } from "../../observe/part.ts";
import { certificatesBeside } from "./certificates.ts";

/** The server process: store, API and controllers. What it has to say to the supervisor is a line on its output. */
const { config, nodeAddresses } = processConfig(process.env);

async function start(): Promise<Part> {
  const pki = certificatesBeside(config, nodeAddresses);
  // Whoever waits for it below hears of a failure.
  pki.catch(() => {});
  const { startServer } = await import("./server.ts");
  return startServer(config, nodeAddresses, pki);
}

const starting = start();
let ending = false;
hearOrders(() => {
  if (ending) return;
  ending = true;
  void starting
    .then((server) => server.stop())
    .catch(() => {})
    .then(() => process.exit(0));
});
try {
  await starting;
  tell({ report: "ready" });
  tidyAfterStart(systemClock);
} catch (error) {
  process.stderr.write(`${(error as Error).stack ?? ""}\n`);
  process.stdout.write(`${JSON.stringify({ report: "failed", sentence: (error as Error).message })}\n`, () =>
    process.exit(1),
  );
}
