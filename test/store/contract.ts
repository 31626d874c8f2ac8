import type { Store } from "../../src/store/store.ts";
import { concurrencyExamples } from "./contract/concurrency.ts";
import { lifecycleExamples } from "./contract/lifecycle.ts";
import { modelSequences } from "./contract/model.ts";
import { readExamples } from "./contract/read.ts";
import { watchExamples } from "./contract/watch.ts";
import { writeExamples } from "./contract/write.ts";

export interface OpenedStore {
  readonly store: Store;
  /** Closes the store and opens what it left behind; absent when nothing is durable. */
  readonly reopen?: () => Promise<Store>;
  /** Closes and removes everything. */
  readonly close: () => Promise<void>;
}

/** Opens an empty store. */
export type OpenStore = () => Promise<OpenedStore>;

/** Every sentence of the contract in `src/store/store.ts`, as tests; `name` is the engine's. */
export const storeContract = (name: string, open: OpenStore): void => {
  readExamples(name, open);
  writeExamples(name, open);
  watchExamples(name, open);
  lifecycleExamples(name, open);
  concurrencyExamples(name, open);
  modelSequences(name, open);
};
