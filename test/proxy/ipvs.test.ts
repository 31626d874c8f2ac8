import { test } from "node:test";
import { insideUml, noUml } from "../lab/uml.ts";

void test("IPVS in user-mode Linux", { skip: await noUml() }, (t) =>
  insideUml(t, { file: "test/proxy/inside/ipvs.ts", modules: ["ip_vs", "ip_vs_rr"], deadline: 60_000 }),
);
