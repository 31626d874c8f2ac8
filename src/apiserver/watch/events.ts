import type { Kind } from "../../api/kind.ts";
import { apiVersionOf, type KubeObject } from "../../api/object.ts";
import type { ApiError } from "../../api/status.ts";
import { removedItem, type Item } from "../cache/item.ts";
import type { Change } from "../cache/ring.ts";
import type { Shape } from "../http/accept.ts";
import { partialOf } from "../output/partial.ts";
import { tableOf, type TableOptions } from "../output/table.ts";
import { isSelected, type Selection } from "../listing/selection.ts";

export type EventType = "ADDED" | "MODIFIED" | "DELETED";

/**
 * What a change is for a watcher with a selector: an object that starts to match is ADDED, one that stops is DELETED (SVC-201),
 * shown in its last matching state at the revision of the change. Undefined when it never mattered.
 */
export function eventOf(selection: Selection, change: Change): { type: EventType; item: Item } | undefined {
  const { previous, next } = change;
  const was = previous !== undefined && isSelected(selection, previous);
  const is = next !== undefined && isSelected(selection, next);
  if (is) return { type: was ? "MODIFIED" : "ADDED", item: next };
  if (!was) return undefined;
  return { type: "DELETED", item: (change.removed ??= removedItem(previous, change.revision)) };
}

const line = (type: string, text: string): Buffer => Buffer.from(`{"type":"${type}","object":${text}}\n`);

/** The last event of a watch that cannot go on: its client lists anew. */
export const errorLine = (error: ApiError): Buffer => line("ERROR", JSON.stringify(error.toStatus()));

/** Writes events in the shape a client asked for. */
export class EventWriter {
  readonly #kind: Kind;
  readonly #shape: Shape;
  readonly #tableOptions: () => TableOptions;
  #isFirst = true;

  constructor(kind: Kind, shape: Shape, tableOptions: () => TableOptions) {
    this.#kind = kind;
    this.#shape = shape;
    this.#tableOptions = tableOptions;
  }

  item(type: EventType, item: Item): Buffer {
    return line(type, this.#text(item));
  }

  /** As {@link item}, and written once for all watchers that want whole objects. */
  change(type: EventType, item: Item, change: Change): Buffer {
    if (this.#shape.as !== "") return this.item(type, item);
    const lines = (change.lines ??= new Map());
    let written = lines.get(type);
    if (written === undefined) lines.set(type, (written = line(type, item.text)));
    return written;
  }

  /** Says that everything up to a revision has been told; `isInitialEnd` marks the end of the initial objects. */
  bookmark(revision: number, isInitialEnd = false): Buffer {
    const metadata = {
      resourceVersion: String(revision),
      creationTimestamp: null,
      ...(isInitialEnd ? { annotations: { "k8s.io/initial-events-end": "true" } } : {}),
    };
    const bare = { kind: this.#kind.kind, apiVersion: apiVersionOf(this.#kind), metadata };
    const object = bare as unknown as KubeObject;
    if (this.#shape.as === "") return line("BOOKMARK", JSON.stringify(bare));
    return line("BOOKMARK", this.#text({ key: "", revision, object, text: "" }));
  }

  #text(item: Item): string {
    if (this.#shape.as === "") return item.text;
    if (this.#shape.as !== "Table") return JSON.stringify(partialOf(item.object, this.#shape.version));
    const { resourceVersion = "" } = item.object.metadata;
    const isFirst = this.#isFirst;
    this.#isFirst = false;
    return JSON.stringify(tableOf(this.#kind, [item], { resourceVersion }, this.#tableOptions(), isFirst));
  }
}
