import { ApiError } from "../../api/status.ts";
import type { Request } from "./exchange.ts";

/** Bytes a request body may have, as upstream's limit for resources. */
export const MAXIMUM_BODY = 3 * 1024 * 1024;
/** What is still read, and thrown away, of a body that is too large, so that the client hears the answer. */
const MAXIMUM_DISCARDED = 16 * 1024 * 1024;
/** Objects and arrays inside each other. */
const MAXIMUM_DEPTH = 100;
/** How often YAML aliases may be written out. */
const MAXIMUM_ALIASES = 100;

const bad = (message: string): ApiError => new ApiError("BadRequest", message);

/** The media type of the body, lower case and without parameters; JSON when none is said. */
export const mediaType = (request: Request): string => {
  const said = (request.headers["content-type"] ?? "").split(";", 1)[0]!.trim().toLowerCase();
  return said === "" ? "application/json" : said;
};

const tooLarge = (): ApiError =>
  new ApiError("RequestEntityTooLarge", `Request entity too large: limit is ${MAXIMUM_BODY}`);

/** The whole body. @throws ApiError RequestEntityTooLarge */
export async function readBody(request: Request): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  const declared = Number(request.headers["content-length"] ?? 0);
  if (declared > MAXIMUM_DISCARDED) throw tooLarge();
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length <= MAXIMUM_BODY) chunks.push(chunk);
    else if (length > MAXIMUM_DISCARDED) throw tooLarge();
    else chunks.length = 0;
  }
  if (length > MAXIMUM_BODY) throw tooLarge();
  return Buffer.concat(chunks, length);
}

/**
 * Refuses what only an attack needs: nesting without end, and `__proto__` as a key.
 * Walks without recursion, because the value may be as deep as the body is long.
 */
export function checkShape(value: unknown): void {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    const next: unknown[] = [];
    for (const node of level) {
      if (typeof node !== "object" || node === null) continue;
      if (depth >= MAXIMUM_DEPTH) throw bad(`the body is nested deeper than ${MAXIMUM_DEPTH} levels`);
      if (Object.hasOwn(node, "__proto__")) throw bad(`the body has the key "__proto__"`);
      for (const child of Array.isArray(node) ? node : Object.values(node)) {
        if (typeof child === "object" && child !== null) next.push(child);
      }
    }
    level = next;
  }
}

export function parseJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw bad(`the body is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  checkShape(value);
  return value;
}

/**
 * YAML 1.1 as Go's parser reads it: `yes` is true, dates stay text, `!!binary` stays text, `12:30` is no number. Keys that are there twice are
 * refused, unless somebody is told of them.
 */
export async function parseYamlBody(
  text: string,
  onDuplicate: (key: unknown, offset: number) => void = (key) => {
    throw new Error(`the key ${JSON.stringify(key)} is there twice`);
  },
): Promise<unknown> {
  // A large library that hardly any client needs: kubectl sends JSON.
  const { parseDocument, isScalar, visit } = await import("yaml");
  // The parser is recursive: what opens more brackets than may ever nest is refused before it starts.
  if (/[[{]{101}|(?:-\s){101}/.test(text) || /[[{]{101}/.test(text.replaceAll(/\s/g, "")))
    throw bad(`the body is nested deeper than ${MAXIMUM_DEPTH} levels`);
  let value: unknown;
  try {
    const document = parseDocument(text, {
      version: "1.1",
      // The library compares each key with all before it: a minute for a body of the size that is allowed.
      uniqueKeys: false,
      customTags: (tags) =>
        tags.filter((tag) => typeof tag === "string" || (!/timestamp|binary/.test(tag.tag) && tag.format !== "TIME")),
      logLevel: "error",
    });
    const [error] = document.errors;
    if (error !== undefined) throw error;
    let aliases = 0;
    visit(document, {
      Map(_, map) {
        const keys = new Set<unknown>();
        for (const { key } of map.items) {
          const name = isScalar(key) ? key.value : key;
          if (keys.has(name) && name !== "<<") onDuplicate(name, (isScalar(key) ? key.range?.[0] : undefined) ?? 0);
          keys.add(name);
        }
      },
      Alias() {
        aliases += 1;
        if (aliases > MAXIMUM_ALIASES) throw new Error(`it has more than ${MAXIMUM_ALIASES} aliases`);
      },
    });
    value = document.toJS({ maxAliasCount: MAXIMUM_ALIASES });
  } catch (error) {
    throw bad(`the body is not YAML: ${error instanceof Error ? error.message.split("\n", 1)[0] : String(error)}`);
  }
  checkShape(value);
  return value;
}

/** Reads and parses an object or options body. @throws ApiError UnsupportedMediaType for what is neither JSON nor YAML */
export async function parseBody(request: Request): Promise<unknown> {
  const type = mediaType(request);
  if (type === "application/json") return parseJson((await readBody(request)).toString("utf8"));
  if (type === "application/yaml") return parseYamlBody((await readBody(request)).toString("utf8"));
  throw new ApiError(
    "UnsupportedMediaType",
    `the body of the request was in an unknown format - accepted media types include: application/json, application/yaml`,
  );
}
