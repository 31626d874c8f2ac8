import { SYSTEM_FLAGS } from "../config.ts";
import type { Command } from "../command.ts";
import { refuseWords } from "../flags.ts";
import { runSystem } from "../supervisor/system.ts";

export const command: Command = {
  summary: "start the whole system, in the foreground, until Ctrl-C",
  usage: "up [-f FILE|DIR|-]… [flags]",
  flags: {
    filename: {
      type: "string",
      short: "f",
      multiple: true,
      value: "FILE|DIR|-",
      help: "manifests to apply once it runs",
    },
    output: {
      type: "string",
      short: "o",
      value: "text|json",
      help: "what is printed: sentences, or one JSON event a line (text)",
    },
    ...SYSTEM_FLAGS,
  },
  async run(given) {
    refuseWords("up", given, "Manifests are given with -f");
    return runSystem(given);
  },
};
