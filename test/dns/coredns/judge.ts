import assert from "node:assert/strict";
import type { Question } from "./answers.ts";
import type { Both, Sides } from "./sides.ts";

/** A difference that is meant: where, and why ours is not CoreDNS's answer. */
export interface Exception {
  readonly why: string;
  /** Under which settings it holds; absent: under all. */
  readonly under?: RegExp;
  /**
   * True for a difference that this is the reason of. It looks at both answers: no other difference may hide here.
   * `also` finds what both said to a question of another type, for the same name or another.
   */
  covers(question: Question, both: Both, also: (type: string, name?: string) => Both | undefined): boolean;
}

const isEqual = (left: unknown, right: unknown): boolean => JSON.stringify(left) === JSON.stringify(right);

const toText = ({ rcode, authoritative, truncated, answers, authority, additional }: Both["ours"]): string =>
  [
    `${rcode}${authoritative ? " aa" : ""}${truncated ? " tc" : ""}`,
    ...answers.map((each) => `  answer ${each}`),
    ...authority.map((each) => `  authority ${each}`),
    ...additional.map((each) => `  additional ${each}`),
  ].join("\n    ");

/** What was found of many questions. */
export interface Verdict {
  readonly asked: number;
  /** How many differences each exception covered. */
  readonly meant: ReadonlyMap<Exception, number>;
  readonly differences: readonly string[];
}

export async function compare(
  sides: Sides,
  setting: { readonly at: number; readonly name: string },
  questions: readonly Question[],
  exceptions: readonly Exception[],
): Promise<Verdict> {
  const held = exceptions.filter(({ under }) => under === undefined || under.test(setting.name));
  const meant = new Map<Exception, number>();
  const differences: string[] = [];
  const found = await sides.ask(setting.at, questions);
  const keyOf = (name: string, type: string): string => `${name.toLowerCase()} ${type}`;
  const byKey = new Map(questions.map(({ name, type }, index) => [keyOf(name, type), found[index]!]));
  for (const [index, both] of found.entries()) {
    if (isEqual(both.ours, both.theirs)) continue;
    const question = questions[index]!;
    const exception = held.find((each) =>
      each.covers(question, both, (type, name = question.name) => byKey.get(keyOf(name, type))),
    );
    if (exception === undefined) {
      differences.push(
        `${question.name} ${question.type}\n  CoreDNS: ${toText(both.theirs)}\n  ours:    ${toText(both.ours)}`,
      );
    } else {
      meant.set(exception, (meant.get(exception) ?? 0) + 1);
    }
  }
  return { asked: questions.length, meant, differences };
}

/** Fails with the first differences that nothing explains. */
export function assertAlike({ asked, differences }: Verdict): void {
  assert.equal(
    differences.length,
    0,
    `${differences.length} of ${asked} answers differ from CoreDNS's; the first:\n${differences.slice(0, 40).join("\n")}`,
  );
}
