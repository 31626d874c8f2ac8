import type { Directive } from "../directive.ts";
import { faultAt } from "../fault.ts";
import { expectArgs, expectNoBody, httpAddressOf, oneOf, unknownOption } from "../values.ts";

/** `ready [ADDRESS] { monitor … }` */
export const ready: Directive = {
  name: "ready",
  read(line, { whole }) {
    expectArgs(line, "ready [[HOST]:PORT]", 0, 1);
    const [where] = line.args;
    for (const option of line.body) {
      expectNoBody(option);
      if (option.name !== "monitor") throw unknownOption("ready", option, ["monitor"]);
      expectArgs(option, "monitor until-ready or monitor continuously", 1);
      // Both are the same here: what has been listed once stays known, whatever becomes of the API server.
      oneOf(option, option.args[0]!, ["until-ready", "continuously"]);
    }
    const found = where === undefined ? { host: "", port: 8181 } : httpAddressOf(line, where);
    if (whole.ready !== undefined && JSON.stringify(whole.ready) !== JSON.stringify(found)) {
      throw faultAt(line, "ready: another block has another address; there is one for the whole server");
    }
    whole.ready = found;
  },
};
