import type { Clock } from "../../observe/clock.ts";
import type { ForwardOptions } from "../configuration/configuration.ts";
import type { Exchange } from "./exchange/exchange.ts";
import { suffixOf } from "./suffix.ts";

export interface HealthOptions {
  readonly exchange: Exchange;
  readonly check: ForwardOptions["healthCheck"];
  /** Checks in a row that fail before the resolver counts as down; 0: it never does, and is never checked. */
  readonly maxFails: number;
  readonly clock: Clock;
  readonly failed: () => void;
}

/** Whether an upstream resolver is there: checked from a first failure on, until it answers. */
export interface Health {
  readonly isDown: boolean;
  /** A query to it has failed. */
  suspect(): void;
  stop(): void;
}

/** Milliseconds that a check waits for its answer. */
const TIMEOUT = 1000;
const NS = 2;

/** A query for the NS records of a domain, whose response, whatever it says, shows that somebody is there. */
function healthQuery(domain: string, recursion: boolean): Buffer {
  return Buffer.from([0, 0, recursion ? 1 : 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...suffixOf(domain), 0, NS, 0, 1]);
}

export function createHealth({ exchange, check, maxFails, clock, failed }: HealthOptions): Health {
  let fails = 0;
  let isChecking = false;
  let isStopped = false;
  let cancel = (): void => {};
  let forget = (): void => {};

  const probe = (): void => {
    const query = healthQuery(check.domain, check.recursion);
    const over = (isWell: boolean): void => {
      cancel();
      if (isStopped) return;
      if (isWell) {
        fails = 0;
        isChecking = false;
        return;
      }
      fails += 1;
      failed();
      cancel = clock.after(check.interval, probe);
    };
    cancel = clock.after(TIMEOUT, () => {
      forget();
      over(false);
    });
    forget = exchange.send({ query, end: query.length, heard: () => over(true), failed: () => over(false) });
  };

  return {
    get isDown() {
      return maxFails > 0 && fails > maxFails;
    },
    suspect() {
      if (maxFails === 0 || isChecking || isStopped) return;
      isChecking = true;
      probe();
    },
    stop() {
      isStopped = true;
      cancel();
      forget();
    },
  };
}
