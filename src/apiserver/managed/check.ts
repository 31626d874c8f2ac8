import { elementOf, isObject } from "./element.ts";
import { goLiteral, goType, goWords } from "./go-words.ts";
import { fieldElement, pathElementWords } from "./path-element.ts";
import type { ListShape, Shape, StructShape } from "./shape.ts";

interface Misfit {
  readonly path: string;
  readonly why: string;
}

/** What a scalar should have been; undefined where it fits. Only the form is judged: times and quantities are read later. */
function scalarMisfit(word: string, value: unknown): string | undefined {
  const type = typeof value;
  switch (word) {
    case "any":
      return undefined;
    case "boolean":
      return type === "boolean" ? undefined : `expected boolean, got &{${goWords(value)}}`;
    case "int32":
    case "int64":
    case "float":
    case "double":
    case "number":
      return type === "number" ? undefined : `expected numeric (int or float), got ${goType(value)}`;
    case "string":
    case "byte":
      return type === "string" ? undefined : `expected string, got &value.valueUnstructured{Value:${goLiteral(value)}}`;
    default:
      return type === "object" ? `expected any scalar, got &{${goWords(value)}}` : undefined;
  }
}

function* listMisfits(shape: ListShape, value: readonly unknown[], path: string): Generator<Misfit> {
  const met = new Set<string>();
  for (const [index, item] of value.entries()) {
    let element = `i:${index}`;
    if (shape.how !== "atomic") {
      try {
        element = elementOf(shape, item);
      } catch (error) {
        yield { path, why: `element ${index}: ${(error as Error).message}` };
        return;
      }
      if (met.has(element)) yield { path, why: `duplicate entries for key ${pathElementWords(element)}` };
      met.add(element);
    }
    yield* misfits(shape.item, item, `${path}${pathElementWords(element)}`);
  }
}

function* misfits(shape: Shape, value: unknown, path: string): Generator<Misfit> {
  if (value === null || value === undefined) return;
  if (shape.is === "scalar") {
    const why = scalarMisfit(shape.word, value);
    if (why !== undefined) yield { path, why };
  } else if (shape.is === "list") {
    if (Array.isArray(value)) yield* listMisfits(shape, value, path);
    else yield { path, why: `expected list, got &{${goWords(value)}}` };
  } else if (!isObject(value)) yield { path, why: `expected map, got &{${goWords(value)}}` };
  else {
    const fields = Object.keys(value);
    const at = (field: string): string => `${path}${pathElementWords(fieldElement(field))}`;
    const strange = shape.is === "map" ? undefined : fields.find((field) => !shape.fields.has(field));
    // What is not known is not looked into, and hides what is beside it.
    if (strange !== undefined) yield { path: at(strange), why: "field not declared in schema" };
    else {
      for (const field of fields) {
        yield* misfits(shape.is === "map" ? shape.item : shape.fields.get(field)!, value[field], at(field));
      }
    }
  }
}

/** Where an applied object does not have its type, in words; undefined when it has. Elements that stand twice in a set or map are faults too. */
export function misfitWords(shape: StructShape, object: object): string | undefined {
  const all = [...misfits(shape, object, "")].map(({ path, why }) => (path === "" ? why : `${path}: ${why}`));
  if (all.length === 0) return undefined;
  return all.length === 1 ? all[0]! : ["errors:", ...all.map((words) => `  ${words}`)].join("\n");
}
