import type { Directive } from "../directive.ts";
import { durationOf, expectArgs, expectNoBody, oneOf, unknownOption } from "../values.ts";

/** `errors [stdout] { … }`: failures are written down. */
export const errors: Directive = {
  name: "errors",
  read(line, { block, warn }) {
    expectArgs(line, "errors [stdout]", 0, 1);
    const [where] = line.args;
    if (where !== undefined) oneOf(line, where, ["stdout"]);
    for (const option of line.body) {
      expectNoBody(option);
      switch (option.name) {
        case "consolidate":
          expectArgs(option, "consolidate DURATION REGEXP [LEVEL] [show_first]", 2, 4);
          durationOf(option, option.args[0]!);
          warn(option, "consolidate does nothing: each failure is written down");
          break;
        case "stacktrace":
          expectArgs(option, "stacktrace alone", 0);
          warn(option, "stacktrace does nothing");
          break;
        default:
          throw unknownOption("errors", option, ["consolidate", "stacktrace"]);
      }
    }
    block.errors = true;
  },
};
