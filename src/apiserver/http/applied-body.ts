import { ApiError, isApiError } from "../../api/status.ts";
import { badRequest } from "../errors.ts";
import { parseBytes, parseJson } from "./body.ts";

export interface AppliedBody {
  readonly body: Record<string, unknown>;
  /** What is wrong with it although it can be read: keys that are there twice. The last of them counts. */
  readonly duplicates: string | undefined;
}

/** Reads the body of an apply patch: YAML, of which JSON is a part. @throws ApiError BadRequest */
export async function parseApplied(text: string): Promise<AppliedBody> {
  let twice: readonly string[] = [];
  let body: unknown;
  try {
    body = /^\s*\{/.test(text) ? parseJson(text) : undefined;
  } catch (error) {
    if (!isApiError(error, "BadRequest")) throw error;
  }
  try {
    if (body === undefined) {
      const { value, repeated } = await parseBytes("application/yaml", Buffer.from(text));
      body = value;
      if (repeated.kind === "lines") twice = repeated.lines.map((line) => `  ${line}`);
    }
  } catch (error) {
    if (error instanceof ApiError) throw badRequest(`error decoding YAML: ${error.message}`);
    throw error;
  }
  if (body === null) body = {};
  if (typeof body !== "object" || Array.isArray(body)) {
    throw badRequest(
      `error decoding YAML: ${Array.isArray(body) ? "a list" : `a ${typeof body}`} where an object should be`,
    );
  }
  const duplicates =
    twice.length === 0 ? undefined : `error converting YAML to JSON: yaml: unmarshal errors:\n${twice.join("\n")}`;
  return { body: body as Record<string, unknown>, duplicates };
}
