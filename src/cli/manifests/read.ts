import {
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  parseAllDocuments,
  type Document,
  type DocumentOptions,
  type Node,
  type ParseOptions,
  type SchemaOptions,
} from "yaml";

/** One object of a manifest file, with the way back to the line it was written on. */
export interface ManifestDocument {
  readonly file: string;
  /** Line on which the document begins. */
  readonly line: number;
  readonly object: unknown;
  /** Line of a field such as `spec.ports[0].name`; the nearest parent's when the field itself is not there. */
  lineOf(field: string): number;
}

/** A document that is no YAML at all. */
export interface ManifestFault {
  readonly file: string;
  readonly line: number;
  readonly sentence: string;
}

/** More aliases than this is no manifest but an attack on memory. */
const MAX_ALIASES = 100;

/** `spec.ports[0].name` → ["spec", "ports", 0, "name"]; `metadata.labels[a.b/c]` keeps its key whole. */
export const segmentsOf = (field: string): (string | number)[] =>
  [...field.matchAll(/([^.[\]]+)|\[([^\]]*)\]/g)].map(
    ([, name, index]) => name ?? (/^\d+$/.test(index!) ? Number(index) : index!),
  );

function offsetOf(root: Node | null, segments: readonly (string | number)[]): number | undefined {
  let node: unknown = root;
  let offset = root?.range?.[0];
  for (const segment of segments) {
    if (isMap(node)) {
      const pair = node.items.find(
        (item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(segment),
      );
      if (pair === undefined) break;
      offset = (pair.key as Node).range?.[0] ?? offset;
      node = pair.value;
    } else if (isSeq(node) && typeof segment === "number") {
      const item = node.items[segment];
      if (item === undefined) break;
      offset = (item as Node).range?.[0] ?? offset;
      node = item;
    } else break;
  }
  return offset;
}

/** Reads one text that may hold several documents (YAML 1.1 as Go's reader takes it, or JSON). */
export function parseManifests(file: string, text: string): (ManifestDocument | ManifestFault)[] {
  const counter = new LineCounter();
  const how: ParseOptions & DocumentOptions & SchemaOptions = {
    version: "1.1",
    lineCounter: counter,
    // Kubernetes knows none of these: a date is a string, and so are bytes in base64 and a time such as 12:30.
    customTags: (tags) =>
      tags.filter((tag) => typeof tag === "string" || (!/timestamp|binary/.test(tag.tag) && tag.format !== "TIME")),
  };
  let documents: Document.Parsed[];
  try {
    const parsed = parseAllDocuments(text, how);
    if (!Array.isArray(parsed)) return [];
    documents = parsed;
  } catch (cause) {
    // The parser calls itself for every level.
    const why = cause instanceof RangeError ? "it is nested too deeply" : (cause as Error).message;
    return [{ file, line: 1, sentence: `this cannot be read as YAML: ${why}` }];
  }
  const lineAt = (offset: number | undefined): number => (offset === undefined ? 1 : counter.linePos(offset).line);
  return documents.flatMap((document: Document.Parsed): (ManifestDocument | ManifestFault)[] => {
    const start = lineAt(document.contents?.range?.[0] ?? document.range[0]);
    const [error] = document.errors;
    if (error !== undefined) {
      return [
        {
          file,
          line: error.linePos?.[0].line ?? start,
          sentence: `this cannot be read as YAML: ${error.message.split("\n")[0]!.replace(/ at line \d+, column \d+:?$/, "")}`,
        },
      ];
    }
    let object: unknown;
    try {
      object = document.toJS({ maxAliasCount: MAX_ALIASES });
    } catch (cause) {
      return [{ file, line: start, sentence: `this YAML is refused: ${(cause as Error).message}` }];
    }
    if (object === null || object === undefined) return [];
    const list = object as { kind?: unknown; items?: unknown };
    if (list.kind === "List" && Array.isArray(list.items)) {
      return list.items.map((item: unknown, index) => ({
        file,
        line: lineAt(offsetOf(document.contents, ["items", index])),
        object: item,
        lineOf: (field) => lineAt(offsetOf(document.contents, ["items", index, ...segmentsOf(field)])),
      }));
    }
    return [{ file, line: start, object, lineOf: (field) => lineAt(offsetOf(document.contents, segmentsOf(field))) }];
  });
}
