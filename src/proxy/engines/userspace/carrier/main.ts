import { createInterface } from "node:readline";
import { systemClock } from "../../../../observe/clock.ts";
import type { CarrierRequest } from "./carried.ts";
import { Carrier } from "./carrier.ts";

/** The process that carries: requests as JSON lines on standard input, reports on standard output. Its end is the end of the traffic. */
const [udpIdleTimeout = "10000"] = process.argv.slice(2);
const carrier = new Carrier({
  clock: systemClock,
  random: Math.random,
  udpIdleTimeout: Number(udpIdleTimeout),
  report: (report) => void process.stdout.write(`${JSON.stringify(report)}\n`),
});
createInterface({ input: process.stdin, crlfDelay: Infinity })
  .on("line", (line) => carrier.set(JSON.parse(line) as CarrierRequest))
  .on("close", () => process.exit(0));
