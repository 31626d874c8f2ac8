/** Something that can be ended to make room. */
export interface Closable {
  close(): void;
}

/**
 * Connections at one time, in all and from one address. Where there are too many, the one that has said nothing for the longest
 * makes room: whoever opens thousands that say nothing closes their own, and those who ask stay.
 */
export interface Connections<C extends Closable> {
  add(address: string, connection: C): void;
  /** It has just said something. */
  spoke(address: string, connection: C): void;
  remove(address: string, connection: C): void;
  readonly size: number;
  closeAll(): void;
}

export function createConnections<C extends Closable>(most: number, mostOfOne: number): Connections<C> {
  // A Set keeps the order in which things came in: the first has been silent for the longest.
  const all = new Set<C>();
  const byAddress = new Map<string, Set<C>>();
  const closeFirst = (of: Set<C>): void => {
    const [first] = of;
    first?.close();
  };
  const remove = (address: string, connection: C): void => {
    all.delete(connection);
    const own = byAddress.get(address);
    own?.delete(connection);
    if (own?.size === 0) byAddress.delete(address);
  };
  const put = (address: string, connection: C): Set<C> => {
    let own = byAddress.get(address);
    if (own === undefined) byAddress.set(address, (own = new Set()));
    own.delete(connection);
    own.add(connection);
    all.delete(connection);
    all.add(connection);
    return own;
  };
  return {
    add(address, connection) {
      const own = put(address, connection);
      if (own.size > mostOfOne) closeFirst(own);
      else if (all.size > most) closeFirst(all);
    },
    spoke(address, connection) {
      if (all.has(connection)) put(address, connection);
    },
    remove,
    get size() {
      return all.size;
    },
    closeAll() {
      for (const connection of all) connection.close();
    },
  };
}
