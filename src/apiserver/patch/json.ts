import fastJsonPatch, { type Operation } from "fast-json-patch";
import { ApiError } from "../../api/status.ts";
import { badRequest } from "../errors.ts";
import { MAXIMUM_BODY } from "../http/body.ts";

/** Operations of one patch, as upstream bounds them. */
const MAXIMUM_OPERATIONS = 10_000;
const OPERATIONS = new Set(["add", "remove", "replace", "move", "copy", "test"]);

const rejected = (why: string): ApiError =>
  new ApiError("Invalid", `the server rejected our request due to an error in our request: ${why}`);

/** Checks the form of a JSON patch (RFC 6902, section 4). @throws ApiError BadRequest */
export function readJsonPatch(patch: unknown): Operation[] {
  if (!Array.isArray(patch)) throw badRequest("a JSON patch is a list of operations");
  if (patch.length > MAXIMUM_OPERATIONS) {
    throw new ApiError(
      "RequestEntityTooLarge",
      `The allowed maximum operations in a JSON patch is ${MAXIMUM_OPERATIONS}, got ${patch.length}`,
    );
  }
  for (const [index, operation] of patch.entries()) {
    const { op, path } = (operation ?? {}) as { op?: unknown; path?: unknown };
    if (typeof op !== "string" || !OPERATIONS.has(op) || typeof path !== "string") {
      throw badRequest(`JSON patch operation ${index} should have an "op" of RFC 6902 and a "path"`);
    }
  }
  return patch as Operation[];
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
        structuredClone(operation),
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
