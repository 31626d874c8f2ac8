import { after, before, test } from "node:test";
import { times } from "../../lab/counts.ts";
import { EXCEPTIONS } from "./exceptions.ts";
import { assertAlike, compare } from "./judge.ts";
import { LEDGER } from "./objects.ts";
import { namesFor, questionsFor, TYPES } from "./questions.ts";
import { settings } from "./settings.ts";
import { openSides, type Sides } from "./sides.ts";
import { openUpstream, type Upstream } from "./upstream.ts";

const binary = process.env["COREDNS"];

/** The judge: the real CoreDNS that COREDNS names answers the same questions about the same cluster. */
if (binary === undefined) {
  test("the cluster's names, beside CoreDNS", { skip: "COREDNS names none" }, () => {});
} else {
  let upstream: Upstream | undefined;
  let sides: Sides;
  before(async () => {
    upstream = await openUpstream();
    sides = await openSides(binary, Object.values(settings(upstream.port)));
    await sides.cluster.write(LEDGER);
    await sides.settled();
  });
  after(async () => {
    await (sides as Sides | undefined)?.close();
    await upstream?.close();
  });

  for (const [at, name] of Object.keys(settings(0)).entries()) {
    test(`beside CoreDNS: every form of name, of every type, and as people misspell it; ${name}`, async (t) => {
      const types = at === 0 ? TYPES : ["A", "AAAA", "SRV", "PTR", "TXT", "NS"];
      const questions = questionsFor(namesFor(LEDGER), types, times(1, 20), at + times(0, 1000));
      const verdict = await compare(sides, { at, name }, questions, EXCEPTIONS);
      for (const [{ why }, count] of verdict.meant) t.diagnostic(`${count} differ as they should: ${why}`);
      t.diagnostic(`${verdict.asked} questions`);
      assertAlike(verdict);
    });
  }
}
