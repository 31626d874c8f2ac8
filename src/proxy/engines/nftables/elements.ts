import type { IPFamily } from "../../../net/ip.ts";

/** Sets and maps of the table that hold elements of Services; see README.md. */
export type SetName =
  | "fe"
  | "feo"
  | "fer"
  | "feor"
  | "np"
  | "npo"
  | "shapes"
  | "bet"
  | "beu"
  | "bes"
  | "bea"
  | "aslot"
  | "ept"
  | "epu"
  | "eps"
  | "epa"
  | "rej"
  | "drp"
  | "rej_np"
  | "drp_np"
  | "rejr"
  | "drpr"
  | "fw_fe"
  | "fw_allow"
  | "fw_fer"
  | "fw_allowr"
  | "ranged"
  | "hairpin"
  | "cluster_ips"
  | "pods"
  | "own"
  | "node_ips"
  | "svc_cidrs"
  | "state";

/** One element, in nft's own words: `key`, and `data` where the set is a map. */
export interface Element {
  readonly family: IPFamily;
  readonly set: SetName;
  readonly key: string;
  readonly data?: string | undefined;
}

/** nft's word for the table's family. */
export const TABLE_FAMILY = { IPv4: "ip", IPv6: "ip6" } as const satisfies Record<IPFamily, string>;
export const TABLE = "fairlead";

interface Held {
  readonly data: string | undefined;
  /** How many Services want it; 0 is found in the kernel and wanted by nobody yet. */
  readonly count: number;
}

const EMPTY: ReadonlyMap<string, Held> = new Map();

/** All elements of our tables, each with the number of those who want it: several Services may share one. */
export class ElementTable {
  readonly #cursors = new Map<string, MapIterator<string>>();
  readonly #sets = new Map<string, Map<string, Held>>();

  of(family: IPFamily, set: SetName): ReadonlyMap<string, Held> {
    return this.#sets.get(`${family} ${set}`) ?? EMPTY;
  }

  put(family: IPFamily, set: SetName, key: string, held: Held | undefined): void {
    const name = `${family} ${set}`;
    const elements = this.#sets.get(name) ?? new Map<string, Held>();
    if (held === undefined) elements.delete(key);
    else elements.set(key, held);
    this.#sets.set(name, elements);
  }

  /** One element of each set, the next of each with each call. */
  *sample(): Generator<Element> {
    for (const [name, elements] of this.#sets) {
      if (elements.size === 0) continue;
      const [family, set] = name.split(" ") as [IPFamily, SetName];
      let cursor = this.#cursors.get(name);
      let next = cursor?.next();
      if (cursor === undefined || next!.done === true) {
        cursor = elements.keys();
        next = cursor.next();
        this.#cursors.set(name, cursor);
      }
      yield { family, set, key: next!.value! };
    }
  }

  *all(): Generator<Element & { readonly count: number }> {
    for (const [name, elements] of this.#sets) {
      const [family, set] = name.split(" ") as [IPFamily, SetName];
      for (const [key, { data, count }] of elements) yield { family, set, key, data, count };
    }
  }
}
