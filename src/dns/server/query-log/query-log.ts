import type { Clock } from "../../../observe/clock.ts";
import type { Log } from "../../../observe/log.ts";
import type { Cell } from "../../../observe/metrics.ts";
import type { Clients, PodClient } from "../../clients/clients.ts";
import type { LogOptions } from "../../configuration/configuration.ts";
import { bounded } from "./bounded.ts";
import { classOf, type AnswerClass } from "./classes.ts";
import { COMMON, readFormat, type Format, type Told } from "./format.ts";

/** Which queries of a server are logged, and how. */
export interface LogRule {
  /** In lower case, as labels; none is the root. */
  readonly names: readonly (readonly string[])[];
  /** Undefined: all. */
  readonly classes: ReadonlySet<AnswerClass> | undefined;
  readonly format: Format;
}

/**
 * Who asked what. Off, it costs a look at one boolean. It is turned on for a server by its configuration, and while running
 * for one pod (its annotation `fairlead.dev/dns-log: "true"`) or for names.
 */
export interface QueryLog {
  readonly isOn: boolean;
  /** False when no query from this address, to a server with these rules, can be logged. */
  mayLog(address: string, rules: readonly LogRule[]): boolean;
  /** `labels` in lower case; `rules` are those of the server that answered. */
  tell(told: Told, labels: readonly string[], rules: readonly LogRule[]): void;
  /** Every query whose name ends in one of these is logged from now on, whoever asks; dotted names. */
  setNames(names: readonly string[]): void;
}

export interface QueryLogOptions {
  readonly log: Log;
  readonly clock: Clock;
  readonly clients?: Clients | undefined;
  /** True while some server has rules. */
  readonly hasRules: () => boolean;
  readonly leftOut?: Cell | undefined;
  /** Lines in one second at most. */
  readonly perSecond?: number;
}

/** The annotation of the cluster's DNS Service that has names, separated by commas, whose queries are logged. */
export const LOGGED_NAMES = "fairlead.dev/dns-log";
const PER_SECOND = 1000;

const labelsOf = (name: string): string[] =>
  name
    .toLowerCase()
    .split(".")
    .filter((label) => label !== "");

const endsIn = (labels: readonly string[], end: readonly string[]): boolean => {
  const depth = labels.length - end.length;
  return depth >= 0 && end.every((label, at) => labels[depth + at] === label);
};

/** Rules as the configuration says them. */
export const logRules = (options: readonly LogOptions[]): LogRule[] =>
  options.map(({ names, format, classes }) => ({
    // None said: all.
    names: names.length === 0 ? [[]] : names.map(labelsOf),
    classes:
      classes.length === 0 || classes.includes("all")
        ? undefined
        : new Set(classes.filter((each): each is AnswerClass => each !== "all")),
    format: readFormat(format),
  }));

/** The names in the annotation {@link LOGGED_NAMES}. */
export const loggedNames = (annotation: string | undefined): string[] =>
  (annotation ?? "")
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");

export function createQueryLog(options: QueryLogOptions): QueryLog {
  const { log, clients } = options;
  const common = readFormat(COMMON);
  let names: readonly (readonly string[])[] = [];
  const within = bounded(options.perSecond ?? PER_SECOND, options.clock, (count) => {
    if (options.leftOut !== undefined) options.leftOut.value += count;
    log.warn({ count }, "queries were left out of the log: there were too many in a second");
  });
  const write = (format: Format, told: Told, pod: PodClient | undefined): void =>
    within(() => log.info(pod === undefined ? {} : { pod: `${pod.namespace}/${pod.name}` }, format(told)));

  return {
    get isOn() {
      return options.hasRules() || names.length > 0 || (clients !== undefined && clients.isAnyLogged !== false);
    },
    mayLog: (address, rules) => rules.length > 0 || names.length > 0 || clients?.of(address)?.logged === true,
    tell(told, labels, rules) {
      const pod = clients?.of(told.address);
      // As in CoreDNS, the first rule with such a name decides, also when its classes are others.
      const rule = rules.find(({ names: ends }) => ends.some((end) => endsIn(labels, end)));
      if (rule !== undefined && (rule.classes === undefined || rule.classes.has(classOf(told.reply)))) {
        write(rule.format, told, pod);
      } else if (pod?.logged === true || names.some((end) => endsIn(labels, end))) {
        write(common, told, pod);
      }
    },
    setNames(given) {
      names = given.map(labelsOf);
    },
  };
}
