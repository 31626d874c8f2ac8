import { test } from "node:test";
import { insideUml, noUml } from "../lab/uml.ts";
import { IPVS_MODULES } from "./lab/ipvs-modules.ts";

void test("IPVS in user-mode Linux: how it chooses", { skip: await noUml() }, (t) =>
  insideUml(t, { file: "test/proxy/inside/ipvs-choices.ts", modules: IPVS_MODULES, deadline: 570_000 }),
);
