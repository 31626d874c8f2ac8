import { createInterface } from "node:readline";
import type { WorkerConfig, WorkerOrder } from "./protocol.ts";
import { runPart } from "./run-part.ts";

/**
 * The process of one part: its configuration is its argument, orders are lines of JSON on its standard input, reports lines on its standard output. When
 * who started it dies, its input ends, and it ends as if it had been killed: the next one takes over what outlives it.
 */
process.on("SIGINT", () => {});
process.on("SIGHUP", () => {});
process.on("SIGTERM", () => {});
process.stdout.on("error", () => {});
await runPart(JSON.parse(process.argv[2]!) as WorkerConfig, {
  report: (said) => void process.stdout.write(`${JSON.stringify(said)}\n`),
  listen(hear) {
    const lines = createInterface({ input: process.stdin });
    let isOrdered = false;
    lines.on("line", (line) => {
      const order = JSON.parse(line) as WorkerOrder;
      isOrdered ||= order !== "site-ready";
      hear(order);
    });
    lines.on("close", () => {
      if (!isOrdered) process.exit(0);
    });
  },
  // What was reported is on its way still.
  exit: (code) => void process.stdout.write("", () => process.exit(code)),
});
