import { createInterface } from "node:readline";
import { systemHost } from "../../../../host/processes.ts";
import type { Order, Report } from "../protocol.ts";
import { createAnswerer } from "./answerer.ts";
import { makeGate } from "./gate.ts";

/** The program that answers for all simulated containers of a node; it runs in the network namespace that they share. */
const tell = (report: Report): void => void process.stdout.write(`${JSON.stringify(report)}\n`);
process.stdout.on("error", () => {});
// A terminal's signals are for who started us; its end is the end of our input.
for (const signal of ["SIGINT", "SIGHUP", "SIGTERM"] as const) process.on(signal, () => {});

const answerer = makeGate(systemHost()).then(createAnswerer);
/** What is asked of a container waits until its opening is over. */
const openings = new Map<number, Promise<void>>();

async function obey(order: Order): Promise<void> {
  const answering = await answerer;
  if (order.order === "shut") {
    await answering.shut(order.id);
    return tell({ report: "shut", id: order.id });
  }
  if (order.order === "drain") {
    await answering.drain(order.id);
    openings.delete(order.id);
    return tell({ report: "drained", id: order.id });
  }
  const { id } = order.answering;
  await answering.open(order.answering).then(
    () => tell({ report: "opened", id }),
    (error: Error) => tell({ report: "refused", id, why: error.message }),
  );
}

const lines = createInterface({ input: process.stdin });
lines.on("line", (line) => {
  const order = JSON.parse(line) as Order;
  if (order.order === "open") return void openings.set(order.answering.id, obey(order));
  const opening = openings.get(order.id);
  if (order.order === "shut") openings.delete(order.id);
  void opening?.then(() => obey(order));
});
lines.on("close", () => process.exit(0));
await answerer;
