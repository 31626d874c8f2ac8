import { systemClock } from "../../observe/clock.ts";
import { tidyAfterStart } from "../../observe/tidy.ts";
import { processConfig } from "../process.ts";
import { hearOrders, tell } from "../supervisor/protocol.ts";
import { startSite } from "./site.ts";

/** The site process: node, proxy and DNS of one machine, inside the site's namespaces. */
const { config, nodeAddresses } = processConfig(process.env);
const starting = startSite(config, nodeAddresses);
let ending = false;
hearOrders(({ order }) => {
  if (ending) return;
  ending = true;
  void starting
    .then((site) => (order === "remove" ? site.remove() : site.stop()))
    .then(
      () => process.stdout.write(`${JSON.stringify({ report: "removed" })}\n`, () => process.exit(0)),
      (error: unknown) => {
        process.stderr.write(`${(error as Error).stack ?? ""}\n`);
        process.exit(1);
      },
    );
});
try {
  const site = await starting;
  await site.ready;
  tell({ report: "ready", ...(site.hostDns === undefined ? {} : { facts: { hostDns: site.hostDns } }) });
  site.afterReady();
  tidyAfterStart(systemClock);
} catch (error) {
  process.stderr.write(`${(error as Error).stack ?? ""}\n`);
  process.stdout.write(`${JSON.stringify({ report: "failed", sentence: (error as Error).message })}\n`, () =>
    process.exit(1),
  );
}
