import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog } from "../../src/observe/log.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite.ts";
import type { SqliteStoreOptions } from "../../src/store/sqlite/sqlite.ts";
import type { Store } from "../../src/store/store.ts";
import { storeContract } from "./contract.ts";
import type { OpenStore } from "./contract.ts";

const opener =
  (options: Partial<SqliteStoreOptions>): OpenStore =>
  async () => {
    const directory = mkdtempSync(join(tmpdir(), "fairlead-store-"));
    const open = (): Promise<Store> =>
      openSqliteStore({ path: join(directory, "store.db"), log: silentLog, ...options });
    let store = await open();
    return {
      store,
      reopen: async () => {
        await store.close();
        store = await open();
        return store;
      },
      close: async () => {
        await store.close();
        rmSync(directory, { recursive: true });
      },
    };
  };

storeContract("sqlite", opener({}));
// Without a tail every watch from an older revision reads the database: the other half of the code, the same contract.
storeContract("sqlite without a tail", opener({ tailEvents: 0 }));
