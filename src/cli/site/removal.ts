import { systemHost } from "../../host/processes.ts";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { layoutOf } from "../data/layout.ts";
import { stayAwake } from "../../observe/stay-awake.ts";
import type { SystemConfig } from "../config.ts";
import { removeSiteNetwork } from "./network.ts";
import { removeParts } from "./parts.ts";

/** Run inside the site's namespaces by `down` when no Fairlead lives: ends the pods, removes the rules, puts settings back. */
const layout = layoutOf(process.argv[2]!);
const host = systemHost();
const config = JSON.parse(await readFile(join(layout.run, "config.json"), "utf8")) as SystemConfig;
await stayAwake(removeParts(host, config).then(() => removeSiteNetwork(host, layout.made)));
