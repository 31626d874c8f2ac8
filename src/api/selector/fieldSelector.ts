import type { Kind } from "../kind.ts";
import { ApiError } from "../status.ts";

export type FieldPredicate = (fields: Record<string, string>) => boolean;

export interface FieldRequirement {
  readonly field: string;
  readonly equal: boolean;
  readonly value: string;
}

export interface FieldSelector {
  readonly requirements: readonly FieldRequirement[];
  readonly matches: FieldPredicate;
}

/** Splits at commas that no backslash escapes. */
function split(text: string): string[] {
  const parts: string[] = [""];
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === "\\" && at + 1 < text.length) {
      parts[parts.length - 1] += text.slice(at, at + 2);
      at += 1;
    } else if (text[at] === ",") parts.push("");
    else parts[parts.length - 1] += text[at]!;
  }
  return parts.filter((part) => part !== "");
}

const cannotRead = (why: string): ApiError => new ApiError("BadRequest", `invalid field selector: ${why}`);

/** A value without its escapes. @throws ApiError BadRequest for an escape of any other sign, and for a bare `=` */
function unescape(value: string): string {
  let plain = "";
  for (let at = 0; at < value.length; at += 1) {
    const sign = value[at]!;
    if (sign === "=") throw cannotRead("unescaped character in value: 61");
    if (sign !== "\\") {
      plain += sign;
      continue;
    }
    at += 1;
    const escaped = value[at] ?? "";
    if (!/^[\\,=]$/.test(escaped)) throw cannotRead(`invalid escape sequence: \\${escaped}`);
    plain += escaped;
  }
  return plain;
}

function parseTerm(term: string, text: string): FieldRequirement {
  const match = /^(.*?)(!=|==|=)(.*)$/s.exec(term);
  if (match === null) throw new ApiError("BadRequest", `invalid selector: '${text}'; can't understand '${term}'`);
  return { field: match[1]!, equal: match[2] !== "!=", value: unescape(match[3]!) };
}

/** Nothing equal to nothing is true of everything. */
const saysSomething = ({ field, value }: FieldRequirement): boolean => field !== "" || value !== "";

/**
 * Reads `fieldSelector` of a URL: `spec.type=NodePort,metadata.name!=web`; `\`, `,` and `=` in a value are escaped by `\`.
 * Throws BadRequest for what cannot be read, and for a label that is not among `supported` (SVC-199): those are the keys of a
 * kind's `selectableFields`.
 */
export function parseFieldSelector(text: string, supported: readonly string[]): FieldSelector {
  const requirements = split(text)
    .map((term) => parseTerm(term, text))
    .filter(saysSomething);
  for (const { field } of requirements) {
    if (!supported.includes(field)) {
      throw new ApiError("BadRequest", `field label not supported: ${field}`);
    }
  }
  return {
    requirements,
    matches: (fields) => requirements.every(({ field, equal, value }) => (fields[field] === value) === equal),
  };
}

/** The field labels that objects of a kind can be selected by. */
export const fieldLabelsOf = (kind: Kind): string[] =>
  Object.keys(kind.selectableFields({ apiVersion: "", kind: kind.kind, metadata: {} }));
