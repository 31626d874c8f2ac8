import fastJsonPatch, { type Operation } from "fast-json-patch";
import { ApiError } from "../../api/status.ts";
import { badRequest } from "../errors.ts";
import { jsonWord } from "../http/json-word.ts";
import { MAXIMUM_BODY } from "../http/body.ts";

/** Operations of one patch, as upstream bounds them. */
const MAXIMUM_OPERATIONS = 10_000;
const OPERATIONS = new Set(["add", "remove", "replace", "move", "copy", "test"]);

const rejected = (why: string): ApiError =>
  new ApiError("Invalid", `the server rejected our request due to an error in our request: ${why}`, {});

/** Checks the form of a JSON patch (RFC 6902, section 4); null is one without operations. @throws ApiError */
export function readJsonPatch(patch: unknown): Operation[] {
  if (patch === null) return [];
  if (!Array.isArray(patch)) {
    throw badRequest(
      `error decoding patch: json: cannot unmarshal ${jsonWord(patch)} into Go value of type []handlers.jsonPatchOp`,
    );
  }
  if (patch.length > MAXIMUM_OPERATIONS) {
    throw new ApiError(
      "RequestEntityTooLarge",
      `The allowed maximum operations in a JSON patch is ${MAXIMUM_OPERATIONS}, got ${patch.length}`,
    );
  }
  for (const [index, operation] of patch.entries() as ArrayIterator<[number, unknown]>) {
    if (operation !== null && (typeof operation !== "object" || Array.isArray(operation))) {
      throw badRequest(
        `error decoding patch: json: cannot unmarshal ${jsonWord(operation)} into Go value of type handlers.jsonPatchOp`,
      );
    }
    const said = (operation ?? {}) as Record<string, unknown>;
    for (const field of ["op", "path", "from"]) {
      if (said[field] !== undefined && said[field] !== null && typeof said[field] !== "string") {
        const word = jsonWord(said[field]);
        throw badRequest(
          `error decoding patch: json: cannot unmarshal ${word} into Go struct field jsonPatchOp.${field} of type string`,
        );
      }
    }
    // A form that can be read, and an operation that means nothing, are told apart as upstream does.
    if (typeof said["op"] !== "string" || !OPERATIONS.has(said["op"]) || typeof said["path"] !== "string") {
      throw rejected(`operation ${index} should have an "op" of RFC 6902 and a "path"`);
    }
  }
  return patch as Operation[];
}

const has = (document: unknown, pointer: string): boolean =>
  fastJsonPatch.getValueByPointer(document, pointer) !== undefined;

/** True for a field that is not there, of an object that is. */
function isMissingField(document: unknown, pointer: string): boolean {
  const parent: unknown = fastJsonPatch.getValueByPointer(document, pointer.replace(/\/[^/]*$/, ""));
  return typeof parent === "object" && parent !== null && !Array.isArray(parent) && !has(document, pointer);
}

/**
 * The operation as upstream takes it where it is more lenient than RFC 6902 (section 4): a value that is left out is null, a field that is
 * replaced need not be there, and what is copied from nowhere is null.
 */
function lenient(document: unknown, operation: Operation): Operation {
  if (operation.path === "" && (operation.op === "add" || operation.op === "remove")) {
    throw new Error("the whole object can only be replaced");
  }
  const { path } = operation;
  if (operation.op === "copy" && typeof operation.from === "string" && isMissingField(document, operation.from)) {
    return { op: "add", path, value: null };
  }
  if (operation.op !== "add" && operation.op !== "replace" && operation.op !== "test") return operation;
  const value: unknown = (operation as { value?: unknown }).value ?? null;
  if (operation.op === "replace" && isMissingField(document, path)) return { op: "add", path, value };
  if (operation.op === "test" && value === null && isMissingField(document, path))
    return { op: "test", path: "", value: document };
  return { ...operation, value };
}

/**
 * Applies a JSON patch (RFC 6902) to a copy. What copies add is bounded, because a few of them could double an object again and again.
 *
 * @throws ApiError Invalid when an operation does not fit the object or a test fails
 */
export function jsonPatch(target: unknown, operations: readonly Operation[]): unknown {
  let document: unknown = structuredClone(target);
  let copied = 0;
  for (const [index, operation] of operations.entries()) {
    try {
      if (operation.op === "copy") {
        copied += JSON.stringify(fastJsonPatch.getValueByPointer(document, operation.from) ?? null).length;
        if (copied > MAXIMUM_BODY) throw new Error("its copies make the object too large");
      }
      document = fastJsonPatch.applyOperation(
        document,
        lenient(document, structuredClone(operation)),
        true,
        true,
        true,
        index,
      ).newDocument;
    } catch (error) {
      // The library's message goes on for pages with the whole document; its first line is the reason.
      const why = error instanceof Error ? error.message.split("\n", 1)[0] : String(error);
      throw rejected(`operation ${index} (${operation.op} ${JSON.stringify(operation.path)}): ${why}`);
    }
  }
  return document;
}
