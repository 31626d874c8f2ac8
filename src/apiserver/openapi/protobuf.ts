/**
 * Writes values as protobuf messages, by a description of the message: which field has which number, and how its value is written.
 * Only what is written here is offered: varints and everything that has a length.
 */

/** Bytes of a field with a length, or a whole number that is written as a varint; undefined leaves the field out. */
type Written = Uint8Array | number | undefined;

/** How the value of a field is written. */
export type Write = (value: unknown) => Written;

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

/** One field: its key (number and wire type), its length where it has one, its contents. */
function field(number: number, written: Written): Uint8Array[] {
  if (written === undefined) return [];
  if (typeof written === "number") return [varint(number * 8), varint(written)];
  return [varint(number * 8 + 2), varint(written.length), written];
}

export const text: Write = (value) => Buffer.from(String(value));
export const truth: Write = (value) => (value === true ? 1 : undefined);

/** A message that only holds another one: what protobuf makes of a choice, or of a value of several kinds. */
export const inside =
  (number: number, write: Write): Write =>
  (value) =>
    Buffer.concat(field(number, write(value)));

/** A map: a repeated message with the key as field 1 and the value as field 2. */
export const entries =
  (number: number, write: Write): Write =>
  (value) =>
    Buffer.concat(
      Object.entries(value as object).flatMap(([key, one]) =>
        field(number, Buffer.concat([...field(1, text(key)), ...field(2, write(one))])),
      ),
    );

/** Chooses by the value. */
export const choose =
  (choice: (value: Record<string, unknown>) => Write): Write =>
  (value) =>
    choice(value as Record<string, unknown>)(value);

/**
 * A message with these fields; a list is written as a repeated field. Keys that begin with `x-` go into the field `extensions`, each
 * with its name and its value as text.
 */
export const message =
  (fields: () => Readonly<Record<string, readonly [number: number, write: Write]>>, extensions?: number): Write =>
  (value) => {
    const known = fields();
    const parts: Uint8Array[] = [];
    for (const [key, one] of Object.entries(value as object) as [string, unknown][]) {
      const found = Object.hasOwn(known, key) ? known[key] : undefined;
      if (found !== undefined) {
        const [number, write] = found;
        for (const item of Array.isArray(one) ? (one as unknown[]) : [one]) parts.push(...field(number, write(item)));
      } else if (extensions !== undefined && key.startsWith("x-")) {
        const yaml = Buffer.concat(field(2, text(JSON.stringify(one))));
        parts.push(...field(extensions, Buffer.concat([...field(1, text(key)), ...field(2, yaml)])));
      }
    }
    return Buffer.concat(parts);
  };
