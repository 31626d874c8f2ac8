import { readFileSync } from "node:fs";
import { join } from "node:path";
import { kinds } from "../../../src/api/kinds.ts";
import { createApiServer } from "../../../src/apiserver/server.ts";
import { silentLog } from "../../../src/observe/log.ts";
import { openSqliteStore } from "../../../src/store/sqlite/sqlite.ts";

/* An API server as a program, so that it can be stopped and killed: `server.ts FOLDER PORT`; says `ready`. */
const [folder = "", port = ""] = process.argv.slice(2);
const text = (name: string): string => readFileSync(join(folder, name), "utf8");
const store = await openSqliteStore({ path: join(folder, "store.db"), log: silentLog });
const tls = { cert: text("server.crt"), key: text("server.key"), ca: text("ca.crt") };
const api = await createApiServer({ store, kinds, tls });
console.log(`ready ${await api.listen({ host: "127.0.0.1", port: Number(port) })}`);
