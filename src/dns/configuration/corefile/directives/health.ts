import type { Directive } from "../directive.ts";
import { faultAt } from "../fault.ts";
import { durationOf, expectArgs, expectNoBody, httpAddressOf, unknownOption } from "../values.ts";

/** `health [ADDRESS] { lameduck DURATION }` */
export const health: Directive = {
  name: "health",
  read(line, { whole }) {
    expectArgs(line, "health [[HOST]:PORT]", 0, 1);
    const [where] = line.args;
    let lameduck = 0;
    for (const option of line.body) {
      expectNoBody(option);
      if (option.name !== "lameduck") throw unknownOption("health", option, ["lameduck"]);
      expectArgs(option, "lameduck DURATION", 1);
      lameduck = durationOf(option, option.args[0]!);
    }
    const found = { ...(where === undefined ? { host: "", port: 8080 } : httpAddressOf(line, where)), lameduck };
    if (whole.health !== undefined && JSON.stringify(whole.health) !== JSON.stringify(found)) {
      throw faultAt(line, "health: another block has another address or lameduck; there is one for the whole server");
    }
    whole.health = found;
  },
};
