/** One step of a path in an object, as `fieldsV1` writes it: `f:NAME`, `k:{…}`, `v:VALUE`, `i:INDEX`. */
export type PathElement = string;

export type KeyValue = readonly [name: string, value: unknown];

export const fieldElement = (name: string): PathElement => `f:${name}`;
export const valueElement = (value: unknown): PathElement => `v:${JSON.stringify(value)}`;

/** The element of a list whose key fields have these values. */
export function keyElement(values: readonly KeyValue[]): PathElement {
  const sorted = values.length < 2 ? values : [...values].sort(([one], [other]) => (one < other ? -1 : 1));
  return `k:{${sorted.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(",")}}`;
}

/**
 * Reads a path element that a client wrote, in the one form that we write it in. Undefined for a kind that may mean something some day.
 *
 * @throws SyntaxError for what is none
 */
export function readPathElement(written: string): PathElement | undefined {
  if (written.length < 2 || written[1] !== ":") {
    throw new SyntaxError(`reading a path element: ${JSON.stringify(written)} should begin with f:, k:, v: or i:`);
  }
  const rest = written.slice(2);
  switch (written.charAt(0)) {
    case "f":
      return written;
    case "v":
      return valueElement(JSON.parse(rest));
    case "k": {
      const values: unknown = JSON.parse(rest);
      if (typeof values !== "object" || values === null || Array.isArray(values)) {
        throw new SyntaxError(`reading a path element: ${JSON.stringify(written)} should hold an object`);
      }
      return keyElement(Object.entries(values));
    }
    case "i":
      if (!/^[+-]?\d+$/.test(rest)) {
        throw new SyntaxError(`reading a path element: ${JSON.stringify(written)} should hold a whole number`);
      }
      return `i:${Number(rest)}`;
    default:
      return undefined;
  }
}

const RANKS = "fkvi";

function compareValues(one: unknown, other: unknown): number {
  // As upstream orders values: numbers before text before booleans.
  const rank = (value: unknown): number => ["number", "string", "boolean"].indexOf(typeof value);
  if (rank(one) !== rank(other)) return rank(one) - rank(other);
  if (one === other) return 0;
  return (one as number | string | boolean) < (other as number | string | boolean) ? -1 : 1;
}

/** The order in which path elements are written and told. */
export function comparePathElements(one: PathElement, other: PathElement): number {
  if (one === other) return 0;
  const rank = RANKS.indexOf(one[0]!) - RANKS.indexOf(other[0]!);
  if (rank !== 0) return rank;
  if (one.startsWith("f:")) return one < other ? -1 : 1;
  const [mine, theirs] = [JSON.parse(one.slice(2)), JSON.parse(other.slice(2))] as [unknown, unknown];
  if (!one.startsWith("k:")) return compareValues(mine, theirs);
  const [left, right] = [Object.entries(mine as object), Object.entries(theirs as object)];
  for (let index = 0; index < Math.min(left.length, right.length); index++) {
    const [name, value] = left[index] as KeyValue;
    const [otherName, otherValue] = right[index] as KeyValue;
    if (name !== otherName) return name < otherName ? -1 : 1;
    const order = compareValues(value, otherValue);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

/** How a path element reads in a message: `.spec`, `[port=80,protocol="TCP"]`, `[="a"]`, `[0]`. */
export function pathElementWords(element: PathElement): string {
  const rest = element.slice(2);
  switch (element.charAt(0)) {
    case "f":
      return `.${rest}`;
    case "v":
      return `[=${rest}]`;
    case "k": {
      const values = Object.entries(JSON.parse(rest) as object);
      return `[${values.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(",")}]`;
    }
    default:
      return `[${rest}]`;
  }
}
