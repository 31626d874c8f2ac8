import { join } from "node:path";
import { test } from "node:test";
import { KEPT, insideUml, noUml } from "../lab/uml.ts";
import { times } from "../lab/counts.ts";
import { IPVS_MODULES } from "./lab/ipvs-modules.ts";

void test("IPVS in user-mode Linux: sequences of changes", { skip: await noUml() }, (t) =>
  insideUml(t, {
    file: "test/proxy/inside/ipvs-sequences.ts",
    modules: IPVS_MODULES,
    env: { FAIRLEAD_PACKETS: KEPT, FAIRLEAD_PACKETS_SCALE: String(50 / times(3, 8)) },
    keep: process.env["FAIRLEAD_PACKETS"] ?? join(import.meta.dirname, "../../node_modules/.cache"),
    deadline: 570_000,
  }),
);
