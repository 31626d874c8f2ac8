import type { Command } from "../command.ts";
import { dataDirectory, layoutOf } from "../data/layout.ts";
import { holderOf } from "../data/lock.ts";
import { signalProcess, waitForEnd } from "../../host/process-identity.ts";
import { systemHost } from "../../host/processes.ts";
import { Failure } from "../failure.ts";
import { refuseWords } from "../flags.ts";
import { readMade } from "../site/made.ts";
import { endOrphans } from "../supervisor/orphans.ts";
import { removeSite } from "../site/remove.ts";

export const command: Command = {
  summary: "end everything and remove what it made",
  usage: "down [--data DIR]",
  flags: { data: { type: "string", value: "DIR", help: "the data directory of the Fairlead that is ended" } },
  async run(given) {
    refuseWords("down", given, "The data directory is given with --data DIR");
    const { values } = given;
    const layout = layoutOf(dataDirectory(values["data"] as string | undefined, process.getuid?.() ?? 0, process.env));
    const holder = await holderOf(layout);
    if (holder !== undefined) {
      // It knows best what it made: let it remove that itself.
      await signalProcess(holder, "SIGINT");
      if (!(await waitForEnd(holder, 60_000))) {
        throw new Failure(
          `ending the Fairlead with process id ${holder.pid}: it has not ended within 60 s; see ${layout.logs}`,
        );
      }
    } else await endOrphans(layout);
    if ((await readMade(layout.made)) !== undefined) await removeSite(systemHost(), layout);
    else if (holder === undefined)
      process.stdout.write(`fairlead: nothing runs on ${layout.directory} and nothing is left of it\n`);
    return 0;
  },
};
