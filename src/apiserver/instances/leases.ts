import type { Condition, Operation, Store } from "../../store/store.ts";
import type { Draft } from "../bootstrap/draft.ts";
import { instanceKey, INSTANCES } from "../keys.ts";
import { judgeLeases, RENEW_EVERY, type FoundLease, type SeenLeases } from "./judge.ts";

/** Only that it is written counts; who looks into a store sees what it is. */
const leaseValue = (ip: string): string => JSON.stringify({ apiServer: ip });

async function readLeases(store: Store): Promise<FoundLease[]> {
  const { entries } = await store.list(INSTANCES);
  return entries.map(({ key, modRevision }) => ({ ip: key.slice(INSTANCES.length), modRevision }));
}

/** A new server's lease, in the transaction that also lists its address. Answers the addresses of the servers it finds. */
export async function draftLease(draft: Draft, store: Store, ip: string): Promise<string[]> {
  const found = await readLeases(store);
  if (!found.some((lease) => lease.ip === ip)) {
    draft.conditions.push({ key: instanceKey(ip), absent: true });
    draft.operations.push({ type: "put", key: instanceKey(ip), value: leaseValue(ip) });
  }
  return found.map((lease) => lease.ip).filter((other) => other !== ip);
}

/** What a look found: who lives, our own address among them. */
export interface Look {
  readonly living: readonly string[];
}

/**
 * The lease by which this server tells the others that it lives, and their leases. They are keys in the store, one an address:
 * not objects, since nobody but API servers has any business with them. A server that is alone renews nothing, because nobody
 * counts on it: one that comes to join is given 15 s, and is seen within 5.
 */
export class Leases {
  readonly #store: Store;
  readonly #ip: string;
  #seen: SeenLeases = new Map();
  #looks = 0;

  constructor(store: Store, ip: string) {
    this.#store = store;
    this.#ip = ip;
  }

  /**
   * Looks who lives, renews our own lease when it is time, and takes expired ones away. `counts`: the look is one of those that
   * come every `LOOK_EVERY_MS`; any other one only finds who came and who left.
   */
  async look(counts: boolean): Promise<Look> {
    const { seen, living, expired } = judgeLeases(this.#ip, await readLeases(this.#store), this.#seen, counts);
    this.#seen = seen;
    const isMissing = !seen.has(this.#ip);
    const isDue = counts && living.length > 1 && this.#looks++ % RENEW_EVERY === 0;
    if (isMissing || isDue) {
      const key = instanceKey(this.#ip);
      await this.#store.write([], [{ type: "put", key, value: leaseValue(this.#ip) }]);
    }
    for (const { ip, modRevision } of expired) {
      const condition: Condition = { key: instanceKey(ip), modRevision };
      const operation: Operation = { type: "delete", key: instanceKey(ip) };
      // Renewed at the last moment: it is found so at the next look.
      await this.#store.write([condition], [operation]);
    }
    return { living };
  }

  /** Gives our own lease up. Answers who is left. */
  async leave(): Promise<Look> {
    await this.#store.write([], [{ type: "delete", key: instanceKey(this.#ip) }]);
    const found = await readLeases(this.#store);
    return { living: found.map(({ ip }) => ip).sort() };
  }
}
