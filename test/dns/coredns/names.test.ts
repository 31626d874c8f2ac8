import { after, before, test } from "node:test";
import { usualBlock, usualKubernetes } from "../../../src/dns/configuration/usual.ts";
import { EXCEPTIONS } from "./exceptions.ts";
import { assertAlike, compare } from "./judge.ts";
import { LEDGER } from "./objects.ts";
import { namesFor, questionsFor, TYPES } from "./questions.ts";
import { openSides, type Setting, type Sides } from "./sides.ts";

const binary = process.env["COREDNS"];

const SETTINGS: readonly Setting[] = [
  { ...usualBlock, kubernetes: { ...usualKubernetes("cluster.local"), fallthrough: [], ttl: 30 } },
];

if (binary === undefined) {
  test("our names beside CoreDNS's", { skip: "COREDNS names none" }, () => {});
} else {
  let sides: Sides;
  before(async () => {
    sides = await openSides(binary, SETTINGS);
    await sides.cluster.write(LEDGER);
    await sides.settled();
  });
  after(() => sides.close());

  test("every form of name, of every type, and as people misspell it", async (t) => {
    const questions = questionsFor(namesFor(LEDGER, "cluster.local"), TYPES, 3, 1);
    const verdict = await compare(sides, 0, questions, EXCEPTIONS);
    for (const [{ why }, count] of verdict.meant) t.diagnostic(`${count} meant: ${why}`);
    t.diagnostic(`${verdict.asked} questions`);
    assertAlike(verdict);
  });
}
