import { after, test } from "node:test";
import { systemClock } from "../../src/observe/clock.ts";
import { silentLog } from "../../src/observe/log.ts";
import { openEtcdStore, type EtcdStoreOptions } from "../../src/store/etcd/etcd.ts";
import { startEtcd, withoutEtcd, type Etcd } from "../lab/etcd.ts";
import { storeContract } from "./contract.ts";
import type { OpenStore } from "./contract.ts";
import { watchExamples } from "./contract/watch.ts";

/** Starting takes longer than most tests: the next etcd starts while one is used. */
let spare: Promise<Etcd> | undefined;
const freshEtcd = (): Promise<Etcd> => {
  const taken = spare ?? startEtcd();
  spare = startEtcd();
  spare.catch(() => {});
  return taken;
};
after(async () => (await spare)?.close());

const opener =
  (options: Partial<EtcdStoreOptions>): OpenStore =>
  async () => {
    const etcd = await freshEtcd();
    const open = () =>
      openEtcdStore({ endpoints: etcd.endpoints, log: silentLog, clock: systemClock, compactEveryMs: 0, ...options });
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
        await etcd.close();
      },
    };
  };

if (withoutEtcd !== false) void test("etcd: the contract of the store", { skip: withoutEtcd });
else {
  storeContract("etcd", opener({}));
  // Without a tail every watch from an older revision reads etcd's history: the other half of the code, the same contract.
  watchExamples("etcd without a tail", opener({ tailEvents: 0 }));
}
