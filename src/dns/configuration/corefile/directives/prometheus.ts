import type { Directive } from "../directive.ts";
import { faultAt } from "../fault.ts";
import { expectArgs, expectNoBody, httpAddressOf, unknownOption } from "../values.ts";

/** `prometheus [ADDRESS]`: where the metrics are. */
export const prometheus: Directive = {
  name: "prometheus",
  read(line, { whole, warn }) {
    expectArgs(line, "prometheus [[HOST]:PORT]", 0, 1);
    const [where] = line.args;
    for (const option of line.body) {
      expectNoBody(option);
      if (option.name === "tls") throw faultAt(option, "tls: metrics are told over plain HTTP; leave it out");
      if (option.name !== "runtime_metrics") throw unknownOption("prometheus", option, ["runtime_metrics"]);
      warn(option, "runtime_metrics does nothing: there is no Go runtime here");
    }
    const found = where === undefined ? { host: "localhost", port: 9153 } : httpAddressOf(line, where);
    if (whole.prometheus !== undefined && JSON.stringify(whole.prometheus) !== JSON.stringify(found)) {
      throw faultAt(line, "prometheus: another block has another address; there is one for the whole server");
    }
    whole.prometheus = found;
  },
};
