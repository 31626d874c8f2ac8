import { unknownFieldWords } from "../../api/decode.ts";

/** Keys that a text has twice in one object: by path, found when asked for, or (in YAML) as sentences with their lines. */
export type Repeated =
  | { readonly kind: "none" }
  | { readonly kind: "paths"; readonly text: string }
  | { readonly kind: "lines"; readonly lines: readonly string[] };

export const NOTHING_TWICE: Repeated = { kind: "none" };

/** An object or a list that the reading is in. */
interface Frame {
  /** Undefined for a list. */
  readonly keys: Set<string> | undefined;
  /** The key or the position that is being read. */
  at: string | number;
}

const QUOTE = 34;
const COMMA = 44;
const LIST = 91;
const BACKSLASH = 92;
const LIST_END = 93;
const OBJECT = 123;
const OBJECT_END = 125;

/** Where a string that begins at `start` ends: the place of its closing quote. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return end;
  }
  return text.length;
}

/** Tells every key of a text that is JSON, in order, with whether its object had it before; ends when `tell` answers true. */
function readKeys(text: string, tell: (frames: readonly Frame[], isRepeated: boolean) => boolean): void {
  const frames: Frame[] = [];
  let expectsKey = false;
  for (let index = 0; index < text.length; index++) {
    const sign = text.charCodeAt(index);
    if (sign === QUOTE) {
      const end = endOfString(text, index);
      const frame = frames.at(-1);
      if (expectsKey && frame?.keys !== undefined) {
        const raw = text.slice(index, end + 1);
        const key = raw.includes("\\") ? (JSON.parse(raw) as string) : raw.slice(1, -1);
        const isRepeated = frame.keys.has(key);
        frame.keys.add(key);
        frame.at = key;
        if (tell(frames, isRepeated)) return;
        expectsKey = false;
      }
      index = end;
    } else if (sign === OBJECT) {
      frames.push({ keys: new Set(), at: "" });
      expectsKey = true;
    } else if (sign === LIST) {
      frames.push({ keys: undefined, at: 0 });
      expectsKey = false;
    } else if (sign === OBJECT_END || sign === LIST_END) {
      frames.pop();
      expectsKey = false;
    } else if (sign === COMMA) {
      const frame = frames.at(-1);
      if (frame?.keys === undefined) {
        if (frame !== undefined) frame.at = Number(frame.at) + 1;
      } else expectsKey = true;
    }
  }
}

/** Looks for keys that are there twice in a text that is JSON. */
export function repeatedKeys(text: string): Repeated {
  let found = false;
  readKeys(text, (_, isRepeated) => {
    found ||= isRepeated;
    return found;
  });
  return found ? { kind: "paths", text } : NOTHING_TWICE;
}

/** `spec.ports[0].port` */
const pathOf = (frames: readonly Frame[]): string =>
  frames
    .map(({ keys, at }) => (keys === undefined ? `[${at}]` : `.${at}`))
    .join("")
    .slice(1);

/** Sentences about unknown fields and about keys that are there twice, in the order of the text. */
function inOrder(text: string, unknown: readonly string[]): string[] {
  const left = new Set(unknown);
  const said = new Set<string>();
  readKeys(text, (frames, isRepeated) => {
    const path = pathOf(frames);
    // Nobody looks into what is not known.
    const isUnknown = unknown.some((one) => path === one || path.startsWith(`${one}.`) || path.startsWith(`${one}[`));
    if (left.delete(path)) said.add(unknownFieldWords(path));
    else if (isRepeated && !isUnknown) said.add(`duplicate field ${JSON.stringify(path)}`);
    return false;
  });
  for (const path of left) said.add(unknownFieldWords(path));
  return [...said];
}

/** What is told of unknown fields and of keys that are there twice: each as a warning, and all together as a refusal. */
export function strictWords(repeated: Repeated, unknown: readonly string[]): { warnings: string[]; refusal: string } {
  if (repeated.kind === "paths") {
    const warnings = inOrder(repeated.text, unknown);
    return { warnings, refusal: warnings.join(", ") };
  }
  const fields = unknown.map(unknownFieldWords);
  if (repeated.kind === "none") return { warnings: fields, refusal: fields.join(", ") };
  const lines = `yaml: unmarshal errors:\n${repeated.lines.map((line) => `  ${line}`).join("\n")}`;
  return { warnings: [...repeated.lines, ...fields], refusal: [lines, ...fields].join(", ") };
}
