import { processConfig } from "../process.ts";
import { hearOrders, tell } from "../supervisor/protocol.ts";
import { startServer } from "./server.ts";

/** The server process: store, API and controllers. What it has to say to the supervisor is a line on its output. */
const { config, nodeAddresses } = processConfig(process.env);
const starting = startServer(config, nodeAddresses);
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
} catch (error) {
  process.stderr.write(`${(error as Error).stack ?? ""}\n`);
  process.stdout.write(`${JSON.stringify({ report: "failed", sentence: (error as Error).message })}\n`, () =>
    process.exit(1),
  );
}
