import { canonicalIP, familyOf } from "../../../../net/ip.ts";
import type { Word } from "../blocks.ts";
import type { Directive, Reading } from "../directive.ts";
import { faultAt, quoted } from "../fault.ts";
import { expectArgs, expectNoBody, unknownOption } from "../values.ts";

function addressesOf(word: Word, reading: Reading): readonly string[] {
  if (familyOf(word.text) !== undefined) return [canonicalIP(word.text)];
  const found = reading.addressesOf(word.text);
  if (found === undefined)
    throw faultAt(word, `bind: ${quoted(word.text)} is neither an address nor an interface of this machine`);
  return found;
}

/** `bind ADDRESS|INTERFACE… { except … }`: where this block is answered; everywhere without it. */
export const bind: Directive = {
  name: "bind",
  repeats: true,
  read(line, reading) {
    expectArgs(line, "bind ADDRESS|INTERFACE…", 1, Number.MAX_SAFE_INTEGER);
    const except = new Set<string>();
    for (const option of line.body) {
      expectNoBody(option);
      if (option.name !== "except") throw unknownOption("bind", option, ["except"]);
      expectArgs(option, "except ADDRESS|INTERFACE…", 1, Number.MAX_SAFE_INTEGER);
      for (const word of option.args) for (const address of addressesOf(word, reading)) except.add(address);
    }
    const found = line.args.flatMap((word) => addressesOf(word, reading)).filter((address) => !except.has(address));
    const all = [...new Set([...(reading.block.bind ?? []), ...found])];
    if (all.length === 0) throw faultAt(line, "bind: no address is left to listen at");
    reading.block.bind = all;
  },
};
