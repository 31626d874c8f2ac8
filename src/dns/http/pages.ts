import type { ServerResponse } from "node:http";
import { send } from "../../observe/http.ts";
import type { DnsConfiguration, HttpAddress } from "../configuration/configuration.ts";

/** What the pages tell. */
export interface Told {
  /** What does not answer yet, by the name of its directive; empty when all does. */
  notReady(): readonly string[];
  /** The server has been told to end, and answers for a while still. */
  isEnding(): boolean;
  /** All figures, in the text format of Prometheus. */
  metrics(): Promise<string>;
}

/** A page, where it is, and its answer. */
export interface Page {
  readonly address: HttpAddress;
  readonly path: string;
  answer(response: ServerResponse): void;
}

const TEXT = "text/plain; charset=utf-8";

/** `/health`: OK as long as the process runs, also while it ends (lameduck), as CoreDNS has it. */
const healthPage = (address: HttpAddress): Page => ({
  address,
  path: "/health",
  answer: (response) => send(response, 200, TEXT, "OK"),
});

/** `/ready`: OK once all answers, and no more when the end has been announced; else 503 with the names of what does not. */
const readyPage = (address: HttpAddress, told: Told): Page => ({
  address,
  path: "/ready",
  answer(response) {
    if (told.isEnding()) return send(response, 503, TEXT, "Shutting down");
    const missing = told.notReady();
    if (missing.length > 0) send(response, 503, TEXT, missing.join(","));
    else send(response, 200, TEXT, "OK");
  },
});

const metricsPage = (address: HttpAddress, told: Told): Page => ({
  address,
  path: "/metrics",
  answer(response) {
    told.metrics().then(
      (text) => send(response, 200, "text/plain; version=0.0.4; charset=utf-8", text),
      (error: unknown) => send(response, 500, TEXT, `telling the metrics: ${(error as Error).message}\n`),
    );
  },
});

/** The pages that a configuration asks for. */
export const pagesOf = ({ health, ready, prometheus }: Partial<DnsConfiguration>, told: Told): Page[] => [
  ...(health === undefined ? [] : [healthPage(health)]),
  ...(ready === undefined ? [] : [readyPage(ready, told)]),
  ...(prometheus === undefined ? [] : [metricsPage(prometheus, told)]),
];
