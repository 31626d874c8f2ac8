import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Resolvers } from "../../lab/resolvers/resolvers.ts";
import { until } from "../../lab/until.ts";
import { NS, type Serving } from "../serving.ts";

/** What the programs of one C library have seen so far, all together. */
export interface Asked {
  readonly answered: number;
  readonly failed: number;
  /** The last failures, one for each program, in the library's words. */
  readonly failures: readonly string[];
  /** The longest that one getaddrinfo took, in milliseconds. */
  readonly longest: number;
}

export interface SteadyAskers {
  /** From now on `seen` tells what comes. */
  begin(): void;
  readonly seen: () => Record<keyof Resolvers, Asked>;
  /** Waits until each program has had this many more answers or failures. */
  more(count: number): Promise<void>;
}

const LIBRARIES = ["glibc", "musl"] as const;
/** A bare name, one that is found at the second domain, and a whole one. */
const NAMES = ["web", "kubernetes.default", `web.${NS}.svc.cluster.local`];

interface Line {
  readonly answered: number;
  readonly failed: number;
  readonly last: string;
  readonly longest: number;
}

/** Starts a pod for each library whose programs call getaddrinfo all the time, each call a new one, about 50 a second each. */
export async function startSteadyAskers(serving: Serving, resolvers: Resolvers): Promise<SteadyAskers> {
  await serving.create(
    ...LIBRARIES.map((library) => ({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: library, namespace: NS },
      spec: {
        terminationGracePeriodSeconds: 1,
        containers: NAMES.map((name, index) => ({
          name: `ask-${index}`,
          command: [resolvers[library], "steadily", name],
        })),
      },
    })),
  );
  await Promise.all(LIBRARIES.map((library) => serving.readyPod(library)));
  const logs = join(serving.fairlead.data, "node/logs");
  /** All that each program has said. */
  const linesOf = (library: string): Line[][] => {
    const directory = join(
      logs,
      readdirSync(logs).find((each) => each.startsWith(`${NS}_${library}_`))!,
    );
    return NAMES.map((_, index) =>
      readFileSync(join(directory, `ask-${index}/0.log`), "utf8")
        .split("\n")
        .slice(0, -1)
        .map((line) => JSON.parse(line) as Line),
    );
  };
  let from = new Map<string, number[]>();
  const asked = (library: string): Asked => {
    const programs = linesOf(library).map((lines, index) => {
      const at = from.get(library)?.[index] ?? 1;
      return {
        first: lines[at - 1]!,
        last: lines.at(-1)!,
        longest: Math.max(...lines.slice(at).map((line) => line.longest)),
      };
    });
    const sum = (of: (line: Line) => number): number =>
      programs.reduce((total, { first, last }) => total + of(last) - of(first), 0);
    return {
      answered: sum((line) => line.answered),
      failed: sum((line) => line.failed),
      failures: programs.filter(({ first, last }) => last.failed > first.failed).map(({ last }) => last.last),
      longest: Math.max(...programs.map(({ longest }) => longest)),
    };
  };
  const each = (): Line[] => LIBRARIES.flatMap((library) => linesOf(library).map((lines) => lines.at(-1)!));
  await until("each of the programs to have asked", () => each().every((line) => (line?.answered ?? 0) > 10));
  return {
    begin: () => (from = new Map(LIBRARIES.map((library) => [library, linesOf(library).map((lines) => lines.length)]))),
    seen: () => ({ glibc: asked("glibc"), musl: asked("musl") }),
    async more(count) {
      const before = each().map(({ answered, failed }) => answered + failed);
      await until(
        `${count} more answers for each program`,
        () => each().every(({ answered, failed }, at) => answered + failed >= before[at]! + count),
        { seconds: 90 },
      );
    },
  };
}
