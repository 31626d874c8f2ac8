import { join } from "node:path";
import { test } from "node:test";
import { KEPT, insideUml, noUml } from "../lab/uml.ts";
import { IPVS_MODULES } from "./lab/ipvs-modules.ts";

void test("IPVS in user-mode Linux: affinity, balance, flows", { skip: await noUml() }, (t) =>
  insideUml(t, {
    file: "test/proxy/inside/ipvs-flows.ts",
    modules: IPVS_MODULES,
    env: { FAIRLEAD_PACKETS: KEPT, FAIRLEAD_PACKETS_SCALE: "4" },
    keep: process.env["FAIRLEAD_PACKETS"] ?? join(import.meta.dirname, "../../node_modules/.cache"),
    deadline: 570_000,
  }),
);
