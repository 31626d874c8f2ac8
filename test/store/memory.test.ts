import { memoryStore } from "../../src/store/memory/memory.ts";
import { storeContract } from "./contract.ts";

storeContract("memory", async () => {
  const store = memoryStore();
  return { store, close: () => store.close() };
});
