import { createHash } from "node:crypto";
import { dirname } from "node:path";
import type { DnsConfiguration } from "../../dns/configuration/configuration.ts";
import type { Corefile } from "../../dns/configuration/corefile/corefile.ts";
import { watchFile } from "../../host/watched-file.ts";
import type { Log } from "../../observe/log.ts";
import { createMetrics } from "../../observe/metrics.ts";
import { readCorefile } from "./read-corefile.ts";

/** A Corefile that is looked at again and again. */
export interface Followed {
  /** How often it was taken anew, and how often it could not be. */
  metrics(): Promise<string>;
  stop(): void;
}

const sameAs = (one: Corefile, other: Corefile): boolean =>
  JSON.stringify([one.configuration, one.access]) === JSON.stringify([other.configuration, other.access]);

/**
 * Looks at the file whenever its folder changes (a ConfigMap's files are changed by another link `..data`), and every interval ± jitter besides.
 * What it says then, and what the files it names say, is taken; what cannot be taken is told once, and the old stays (DNS-130).
 */
export function followCorefile(
  path: string,
  first: Corefile & { readonly text: string },
  options: {
    readonly log: Log;
    readonly random: () => number;
    /** Does what it says from now on. */
    readonly take: (configuration: DnsConfiguration, signal: AbortSignal) => Promise<void>;
  },
): Followed {
  const { log, take } = options;
  const metrics = createMetrics();
  const failed = metrics.counter("coredns_reload_failed_total", "Corefiles that could not be taken.", []).of();
  metrics.read(
    "gauge",
    "coredns_reload_version_info",
    "Always 1: which Corefile is in force.",
    ["hash", "value"],
    () => [[["sha512", createHash("sha512").update(current.text).digest("hex")], 1]],
  );

  let current = first;
  let told: string | undefined;
  let underWay: { readonly text: string; readonly abort: AbortController } | undefined;

  const refused = (why: string): void => {
    if (told === why) return;
    told = why;
    failed.value += 1;
    log.error({ corefile: path }, `the Corefile has changed and cannot be taken; the old one stays in force: ${why}`);
  };

  const look = async (): Promise<void> => {
    let next: typeof current;
    try {
      next = readCorefile(path);
    } catch (error) {
      return refused((error as Error).message);
    }
    const wanted = JSON.stringify([next.configuration, next.access]);
    if (underWay !== undefined) {
      if (underWay.text === wanted) return;
      underWay.abort.abort(new Error("another Corefile came before it"));
    }
    if (sameAs(next, current)) {
      current = next;
      told = undefined;
      return;
    }
    if (JSON.stringify(next.access) !== JSON.stringify(current.access)) {
      return refused("it names another way to the API server, which is only taken at a start");
    }
    const mine = { text: wanted, abort: new AbortController() };
    underWay = mine;
    try {
      await take(next.configuration, mine.abort.signal);
      current = next;
      told = undefined;
      for (const warning of next.warnings) log.warn({}, warning);
      log.info({ corefile: path }, "the Corefile has changed, and is in force");
    } catch (error) {
      if (!mine.abort.signal.aborted) refused((error as Error).message);
    } finally {
      if (underWay === mine) underWay = undefined;
    }
  };

  const { reload } = first.configuration;
  const { interval, jitter } = reload ?? { interval: 0, jitter: 0 };
  const stop =
    reload === undefined
      ? () => {}
      : watchFile(dirname(path), interval + (options.random() - 0.5) * jitter, () => void look());
  return {
    metrics: () => metrics.text((name, error) => log.warn({ err: error, metric: name }, "a metric could not be read")),
    stop() {
      stop();
      underWay?.abort.abort(new Error("DNS ends"));
    },
  };
}
