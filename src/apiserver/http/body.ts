import { ApiError } from "../../api/status.ts";
import type { Request } from "./exchange.ts";
import { jsonFault } from "./json-fault.ts";
import { isWhole } from "./patience.ts";
import { NOTHING_TWICE, repeatedKeys, type Repeated } from "./repeated-keys.ts";

/** Bytes a request body may have, as upstream's limit for resources. */
export const MAXIMUM_BODY = 3 * 1024 * 1024;
/** What is still read, and thrown away, of a body that is too large, so that the client hears the answer. */
const MAXIMUM_DISCARDED = 16 * 1024 * 1024;
/** Objects and arrays inside each other. */
const MAXIMUM_DEPTH = 100;

const bad = (message: string): ApiError => new ApiError("BadRequest", message);

/** The media type of the body, lower case and without parameters; JSON when none is said. */
export const mediaType = (request: Request): string => {
  const said = (request.headers["content-type"] ?? "").split(";", 1)[0]!.trim().toLowerCase();
  return said === "" ? "application/json" : said;
};

const tooLarge = (): ApiError =>
  new ApiError("RequestEntityTooLarge", `Request entity too large: limit is ${MAXIMUM_BODY}`);

/** The whole body. @throws ApiError RequestEntityTooLarge, and BadRequest for one that broke off */
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
  if (!isWhole(request)) throw bad("the body broke off");
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

/** What a body holds. */
export interface Parsed {
  readonly value: unknown;
  /** Keys that are there twice; the last one counts. */
  readonly repeated: Repeated;
}

/** Reads JSON; `refused` makes the error of why it is none, in upstream's words. @throws ApiError */
export function readJson(text: string, refused: (why: string) => ApiError): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw refused(jsonFault(error, text));
  }
  checkShape(value);
  const endless = numberBeyond(value, text);
  if (endless !== undefined) throw refused(`json: cannot unmarshal number ${endless} into Go value of type float64`);
  return value;
}

/** A number as it stands in a text that is more than 64 bits of floating point hold, which JSON.parse takes for infinite. */
function numberBeyond(value: unknown, text: string): string | undefined {
  // Only what has such an exponent, or as many digits, can be one.
  if (!/\d[eE]\+?\d{3}|\d{309}/.test(text)) return undefined;
  let level: unknown[] = [value];
  while (level.length > 0) {
    if (level.some((one) => one === Infinity || one === -Infinity)) {
      const numbers = text.match(/-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g) ?? [];
      return numbers.find((number) => !Number.isFinite(Number(number)));
    }
    level = level.flatMap((one) => (typeof one === "object" && one !== null ? Object.values(one) : []));
  }
  return undefined;
}

export const parseJson = (text: string): unknown =>
  readJson(text, (why) => bad(`couldn't get version/kind; json parse error: ${why}`));

/** YAML above this is read by a thread of its own, because a body of the size that is allowed takes seconds. */
const YAML_ALONE_ABOVE = 64 * 1024;

async function parseYaml(text: string): Promise<Parsed> {
  // A large library that hardly any client needs: kubectl sends JSON, also where it says YAML.
  const { readYaml, readYamlAside } = await import("./yaml.ts");
  const read = text.length > YAML_ALONE_ABOVE ? await readYamlAside(text) : readYaml(text);
  if ("fault" in read) throw bad(read.fault);
  checkShape(read.value);
  const { value, twice } = read;
  return { value, repeated: twice.length === 0 ? NOTHING_TWICE : { kind: "lines", lines: twice } };
}

/** The words for a body of another type than those that are read. */
const unsupportedMediaType = (): ApiError =>
  new ApiError(
    "UnsupportedMediaType",
    "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, " +
      "application/vnd.kubernetes.protobuf",
  );

/** Parses the bytes of a body. @throws ApiError UnsupportedMediaType for what is neither JSON nor YAML nor protobuf */
export async function parseBytes(type: string, bytes: Buffer): Promise<Parsed> {
  if (type === "application/json") {
    const text = bytes.toString("utf8");
    return { value: parseJson(text), repeated: repeatedKeys(text) };
  }
  if (type === "application/yaml") return parseYaml(bytes.toString("utf8"));
  if (type === "application/vnd.kubernetes.protobuf") {
    const { readProtobuf } = await import("./protobuf/read.ts");
    return { value: readProtobuf(bytes), repeated: NOTHING_TWICE };
  }
  throw unsupportedMediaType();
}

/** Reads and parses an object or options body. @throws ApiError */
export const parseBody = async (request: Request): Promise<unknown> =>
  (await parseBytes(mediaType(request), await readBody(request))).value;
