import { createInterface } from "node:readline";

/** What the supervisor tells its processes, one JSON line each on their standard input. */
export type Order =
  /** End Fairlead; pods and rules stay. */
  | { readonly order: "stop" }
  /** End and remove everything that was made. */
  | { readonly order: "remove" };

/** What a process tells the supervisor, one JSON line each on its standard output. */
export type Report =
  /** `seconds` are since the process started. */
  | { readonly report: "ready"; readonly facts?: Readonly<Record<string, string>> }
  /** It cannot go on, and starting it again would not help. */
  | { readonly report: "failed"; readonly sentence: string }
  /** Ingress is served from now on, at these ports; why they are not 80 and 443, a sentence each. */
  | { readonly report: "ingress"; readonly http: number; readonly https: number; readonly remarks: readonly string[] }
  /** The remove order was carried out. */
  | { readonly report: "removed" };

export const tell = (report: Report): void => void process.stdout.write(`${JSON.stringify(report)}\n`);

/**
 * Hears the supervisor. When it dies the input ends, which is an order to stop: nobody would restart or end us.
 * SIGINT of a terminal reaches all processes of the group, but it is the supervisor that decides what it means.
 */
export function hearOrders(hear: (order: Order) => void): void {
  process.on("SIGINT", () => {});
  process.on("SIGHUP", () => {});
  process.on("SIGTERM", () => hear({ order: "stop" }));
  // A dead supervisor no longer reads; its silence is told by the end of input.
  process.stdout.on("error", () => {});
  const lines = createInterface({ input: process.stdin });
  lines.on("line", (line) => hear(JSON.parse(line) as Order));
  lines.on("close", () => hear({ order: "stop" }));
}
