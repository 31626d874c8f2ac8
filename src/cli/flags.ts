import { parseArgs } from "node:util";
import { UsageError } from "./failure.ts";
import { nearest } from "../api/nearest.ts";

/** A flag a command understands. */
export interface Flag {
  /** `truth` is true, or `=true` or `=false`, as Go's flags are; its value is one of these words. */
  readonly type: "string" | "boolean" | "truth";
  readonly short?: string;
  readonly multiple?: boolean;
  /** What stands for the value in the help, e.g. `DIR`. */
  readonly value?: string;
  readonly help: string;
}

export type Flags = Readonly<Record<string, Flag>>;

export interface Given {
  readonly values: Readonly<Record<string, string | boolean | string[] | undefined>>;
  readonly positionals: readonly string[];
  /** What came after `--`. */
  readonly rest: readonly string[];
}

/** `-o=wide` is `-o wide`: kubectl's users write it so, and parseArgs would keep the sign. */
const withoutShortEquals = (argument: string): string[] => {
  const match = /^-([A-Za-z])=(.*)$/s.exec(argument);
  return match ? [`-${match[1]!}`, match[2]!] : [argument];
};

const isShort = (flags: Flags, letter: string): boolean => Object.values(flags).some(({ short }) => short === letter);

/** Reads a command's arguments. Throws {@link UsageError} that names the nearest known flag. */
export function readFlags(command: string, flags: Flags, argv: readonly string[]): Given {
  const end = argv.indexOf("--");
  const own = (end === -1 ? argv : argv.slice(0, end)).flatMap(withoutShortEquals);
  const rest = end === -1 ? [] : argv.slice(end + 1);
  const isBareTruth = (argument: string): boolean =>
    argument.startsWith("--") && flags[argument.slice(2)]?.type === "truth";
  for (const argument of own) {
    const [, dashes, name] = /^(--?)([^=]+)/.exec(argument) ?? [];
    if (name === undefined || (dashes === "-" && isShort(flags, name[0]!))) continue;
    if (dashes === "--" && Object.hasOwn(flags, name)) continue;
    const near = nearest(name, Object.keys(flags));
    throw new UsageError(
      `${command}: unknown flag ${dashes}${name}${near === undefined ? "" : `; did you mean --${near}?`}`,
    );
  }
  try {
    const options = Object.fromEntries(
      Object.entries(flags).map(([name, flag]) => [
        name,
        {
          type: flag.type === "truth" ? "string" : flag.type,
          multiple: flag.multiple ?? false,
          ...(flag.short === undefined ? {} : { short: flag.short }),
        },
      ]),
    );
    const { values, positionals } = parseArgs({
      args: own.map((word) => (isBareTruth(word) ? `${word}=true` : word)),
      options,
      allowPositionals: true,
      strict: true,
    });
    return { values: values as Given["values"], positionals, rest };
  } catch (error) {
    const said = (error as Error).message.split(/\.\s/)[0]!.replace(/^Unknown option/, "unknown flag");
    throw new UsageError(`${command}: ${said}`, { cause: error });
  }
}

/** For a command that takes no words of its own: what stands there was meant for something else. */
export function refuseWords(command: string, { positionals, rest }: Given, remedy: string): void {
  const word = positionals[0] ?? rest[0];
  if (word !== undefined) throw new UsageError(`${command}: what is ${JSON.stringify(word)}? ${remedy}`);
}

/** One of the words a flag may have. */
export function oneOf<Word extends string>(flag: string, given: string, words: readonly Word[]): Word {
  const found = words.find((word) => word === given);
  if (found !== undefined) return found;
  const near = nearest(given, words);
  throw new UsageError(
    `--${flag}: ${JSON.stringify(given)} is not one of ${words.join(", ")}${near === undefined ? "" : `; did you mean ${near}?`}`,
  );
}

/** The lines of a command's help, one a flag. */
export const helpLines = (flags: Flags): string[] => {
  const left = Object.entries(flags).map(([name, flag]) => {
    const short = flag.short === undefined ? "    " : `-${flag.short}, `;
    return `  ${short}--${name}${flag.value === undefined ? "" : ` ${flag.value}`}`;
  });
  const width = Math.max(...left.map((text) => text.length));
  return Object.values(flags).map((flag, index) => `${left[index]!.padEnd(width + 2)}${flag.help}`);
};
