import type { KubeObject } from "../../api/object.ts";
import type { Entry } from "../../store/store.ts";

/** An object as the API shows it: parsed once, written as JSON once, shared by every reader. */
export interface Item {
  readonly key: string;
  readonly revision: number;
  readonly object: KubeObject;
  /** The whole object as JSON, `resourceVersion` included. */
  readonly text: string;
}

const METADATA = '"metadata":{';

/**
 * The JSON that is stored: `apiVersion`, `kind`, `metadata` first and no `resourceVersion`, which is the entry's own
 * revision. The fixed order lets the revision be set into the text without parsing it.
 */
export function storedText(object: KubeObject): string {
  const { apiVersion, kind, metadata, ...rest } = object;
  const { resourceVersion: _dropped, ...kept } = metadata;
  return JSON.stringify({ apiVersion, kind, metadata: kept, ...rest });
}

/** The object's JSON at a revision, from the text that was stored. */
export function revisionedText(stored: string, revision: number): string {
  const at = stored.startsWith('{"apiVersion":') ? stored.indexOf(METADATA) : -1;
  if (at < 0) {
    const object = JSON.parse(stored) as KubeObject;
    return JSON.stringify({ ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } });
  }
  const cut = at + METADATA.length;
  const comma = stored[cut] === "}" ? "" : ",";
  return `${stored.slice(0, cut)}"resourceVersion":"${revision}"${comma}${stored.slice(cut)}`;
}

export function itemOf(entry: Pick<Entry, "key" | "value" | "modRevision">): Item {
  const text = revisionedText(entry.value, entry.modRevision);
  return { key: entry.key, revision: entry.modRevision, object: JSON.parse(text) as KubeObject, text };
}

/** A removed object as watchers see it: its last state, at the revision that removed it. */
export function removedItem(item: Item, revision: number): Item {
  const object = { ...item.object, metadata: { ...item.object.metadata, resourceVersion: String(revision) } };
  return { key: item.key, revision, object, text: JSON.stringify(object) };
}
