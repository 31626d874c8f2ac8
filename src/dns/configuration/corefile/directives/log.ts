import type { LogOptions } from "../../configuration.ts";
import type { Directive } from "../directive.ts";
import { expectArgs, expectNoBody, oneOf, unknownOption } from "../values.ts";
import { zonesOf } from "../zones.ts";

/** CoreDNS's own formats, by the words that stand for them. */
const COMMON =
  '{remote}:{port} - {>id} "{type} {class} {name} {proto} {size} {>do} {>bufsize}" {rcode} {>rflags} {rsize} {duration}';
const COMBINED = `${COMMON} "{>opcode}"`;

/** `log [NAME…] [FORMAT] { class CLASS… }`: queries are written down. */
export const log: Directive = {
  name: "log",
  repeats: true,
  read(line, { block }) {
    const last = line.args.at(-1);
    // As in CoreDNS: a format has a brace in it, and there is a name before it.
    const format = line.args.length > 1 && last!.text.includes("{") ? last!.text : undefined;
    const named = (format === undefined ? line.args : line.args.slice(0, -1)).flatMap(zonesOf);
    let classes: LogOptions["classes"] = [];
    for (const option of line.body) {
      expectNoBody(option);
      if (option.name !== "class") throw unknownOption("log", option, ["class"]);
      expectArgs(option, "class all, or some of success, denial and error", 1, Number.MAX_SAFE_INTEGER);
      classes = [
        ...classes,
        ...option.args.map((word) => oneOf(option, word, ["all", "success", "denial", "error"] as const)),
      ];
    }
    const entry: LogOptions = {
      names: named.length === 0 ? [""] : named,
      format: (format ?? "{common}").replaceAll("{common}", COMMON).replaceAll("{combined}", COMBINED),
      classes: classes.length === 0 ? ["all"] : [...new Set(classes)],
    };
    block.log = [...block.log, entry];
  },
};
