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
  readonly #sets = { IPv4: new Map<SetName, Map<string, Held>>(), IPv6: new Map<SetName, Map<string, Held>>() };
  readonly #cursors = new Map<Map<string, Held>, MapIterator<string>>();

  of(family: IPFamily, set: SetName): ReadonlyMap<string, Held> {
    return this.#sets[family].get(set) ?? EMPTY;
  }

  put(family: IPFamily, set: SetName, key: string, held: Held | undefined): void {
    let elements = this.#sets[family].get(set);
    if (elements === undefined) this.#sets[family].set(set, (elements = new Map()));
    if (held === undefined) elements.delete(key);
    else elements.set(key, held);
  }

  *#named(): Generator<[IPFamily, SetName, Map<string, Held>]> {
    for (const family of ["IPv4", "IPv6"] as const) {
      for (const [set, elements] of this.#sets[family]) yield [family, set, elements];
    }
  }

  /** One element of each set, the next of each with each call. */
  *sample(): Generator<Element> {
    for (const [family, set, elements] of this.#named()) {
      let next = this.#cursors.get(elements)?.next();
      if (next === undefined || next.done === true) {
        const cursor = elements.keys();
        this.#cursors.set(elements, cursor);
        next = cursor.next();
      }
      if (next.done !== true) yield { family, set, key: next.value };
    }
  }

  *all(): Generator<Element & { readonly count: number }> {
    for (const [family, set, elements] of this.#named()) {
      for (const [key, { data, count }] of elements) yield { family, set, key, data, count };
    }
  }
}
