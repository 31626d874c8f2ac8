import { isDeepStrictEqual } from "node:util";
import type { Kind } from "../../api/kind.ts";
import { keyOf, type KubeObject } from "../../api/object.ts";
import { invalidObject } from "../../api/status.ts";
import type { Condition, Operation, Store } from "../../store/store.ts";
import type { WatchCache } from "../cache/watch-cache.ts";
import { itemOf, storedText, type Item } from "../cache/item.ts";
import { objectKey } from "../keys.ts";
import { trackUpdate, type Tracking } from "../managed/track-update.ts";

/** Who owns what every server makes at its start, by the name that clients know. */
const MANAGER = "kube-apiserver";

const checked = <T extends KubeObject>(kind: Kind<T>, object: T, previous: T | undefined): T => {
  const faults = kind.validate(object, previous);
  if (faults.length > 0) throw invalidObject(kind.group, kind.kind, keyOf(object), faults);
  return object;
};

/** Where a draft looks what is there. */
export type ReadItem = (kind: Kind, key: string) => Promise<Item | undefined>;

export const fromStore =
  (store: Store): ReadItem =>
  async (_, key) => {
    const { entry } = await store.get(key);
    return entry === undefined ? undefined : itemOf(entry);
  };

/** Costs nothing; what it says may be a moment old, which the draft's conditions find out. */
export const fromCache =
  (cache: WatchCache): ReadItem =>
  async (kind, key) =>
    cache.of(kind).get(key);

/** One transaction that makes sure of several objects, each stored exactly as the API would have stored it. */
export class Draft {
  readonly conditions: Condition[] = [];
  readonly operations: Operation[] = [];
  readonly #read: ReadItem;
  readonly #now: string;
  readonly #uid: () => string;

  constructor(read: ReadItem, now: string, uid: () => string) {
    this.#read = read;
    this.#now = now;
    this.#uid = uid;
  }

  async read<T extends KubeObject>(
    kind: Kind<T>,
    at: { namespace?: string; name: string },
  ): Promise<(Item & { readonly object: T }) | undefined> {
    return (await this.#read(kind, objectKey(kind, at))) as (Item & { readonly object: T }) | undefined;
  }

  /** The object as a create would store it, before its status is known. */
  created<T extends KubeObject>(kind: Kind<T>, wanted: T): T {
    const metadata = { ...wanted.metadata, uid: this.#uid(), creationTimestamp: this.#now };
    const filled = trackUpdate(kind, undefined, kind.defaults({ ...wanted, metadata }), this.#tracking) as T;
    const object = kind.prepareForCreate(filled, { now: this.#now });
    return checked(kind, object, undefined);
  }

  /** The object as an update through the main resource would store it. */
  updated<T extends KubeObject>(kind: Kind<T>, wanted: T, previous: T): T {
    const filled = trackUpdate(kind, previous, kind.defaults(wanted), this.#tracking) as T;
    return checked(kind, kind.prepareForUpdate(filled, previous, { now: this.#now }), previous);
  }

  get #tracking(): Tracking {
    return { manager: MANAGER, subresource: "", now: this.#now };
  }

  put(kind: Kind, object: KubeObject, previous: Item | undefined): void {
    const key = objectKey(kind, { namespace: object.metadata.namespace, name: object.metadata.name ?? "" });
    const value = storedText(object);
    if (previous !== undefined && isDeepStrictEqual(JSON.parse(value), JSON.parse(storedText(previous.object)))) return;
    this.conditions.push(previous === undefined ? { key, absent: true } : { key, modRevision: previous.revision });
    this.operations.push({ type: "put", key, value });
  }
}
