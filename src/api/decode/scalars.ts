/** A scalar that is not what it should be; `words` is said instead of the usual sentence of Go's decoder. */
export class Misfit {
  readonly words: string | undefined;
  constructor(words?: string) {
    this.words = words;
  }
}

const MISFIT = new Misfit();
const INT32 = 2 ** 31;

type Scalar = (value: unknown) => unknown;

const string: Scalar = (value) => (typeof value === "string" ? value : MISFIT);
const boolean: Scalar = (value) => (typeof value === "boolean" ? value : MISFIT);
const int32: Scalar = (value) =>
  typeof value === "number" && Number.isInteger(value) && value >= -INT32 && value < INT32 ? value : MISFIT;
const int64: Scalar = (value) =>
  typeof value === "number" && Number.isInteger(value) && Math.abs(value) <= 2 ** 63 ? value : MISFIT;
const intOrString: Scalar = (value) => (typeof value === "string" ? value : int32(value));

/** RFC 3339, section 5.6. */
const RFC3339 = /^(\d{4}-\d\d-\d\d)[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;

/** Reads a time to milliseconds; the day must exist (`Date` alone would take 30 February for 1 March). */
function timeMs(text: string): number {
  const match = RFC3339.exec(text);
  const ms = match === null ? Number.NaN : Date.parse(text.toUpperCase());
  if (match === null || Number.isNaN(ms)) return Number.NaN;
  const day = new Date(Date.parse(`${match[1]}T00:00:00Z`));
  return day.toISOString().startsWith(match[1]!) ? ms : Number.NaN;
}

const badTime = (value: string): Misfit =>
  new Misfit(
    `parsing time ${JSON.stringify(JSON.stringify(value))} as "\\"2006-01-02T15:04:05Z07:00\\"": cannot parse`,
  );

/** Times are kept in UTC with whole seconds, as upstream answers them. */
const time: Scalar = (value) => {
  if (typeof value !== "string") return MISFIT;
  const ms = timeMs(value);
  return Number.isNaN(ms) ? badTime(value) : `${new Date(ms).toISOString().slice(0, 19)}Z`;
};

const microtime: Scalar = (value) => {
  if (typeof value !== "string") return MISFIT;
  const ms = timeMs(value);
  if (Number.isNaN(ms)) return badTime(value);
  const digits = RFC3339.exec(value)?.[2]?.slice(1) ?? "";
  return `${new Date(ms).toISOString().slice(0, 19)}.${digits.slice(0, 6).padEnd(6, "0")}Z`;
};

/** RFC 4648, section 4, with padding; line breaks are allowed. */
const byte: Scalar = (value) => {
  if (typeof value !== "string") return MISFIT;
  const text = /[\r\n]/.test(value) ? value.replaceAll(/[\r\n]/g, "") : value;
  if (text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text)) return text;
  const at = /[^A-Za-z0-9+/]/.exec(text)?.index ?? text.length;
  return new Misfit(`illegal base64 data at input byte ${at}`);
};

/** Kubernetes `resource.Quantity`: a decimal with one of its suffixes. */
const QUANTITY = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+|[numkMGTPE]|[KMGTPE]i)?$/;
/** Signs of a quantity; nobody writes that many, and reading digits takes longer than they are many. */
const QUANTITY_MAXIMUM = 1000;
const quantity: Scalar = (value) => {
  const text = typeof value === "number" ? String(value) : value;
  if (typeof text !== "string") return MISFIT;
  if (text.length <= QUANTITY_MAXIMUM && QUANTITY.test(text)) return text;
  return new Misfit("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
};

/** Type words of the field table that are no structs; `quantity` comes from `quantities.ts`. */
export const scalars: ReadonlyMap<string, { readonly read: Scalar; readonly zero: unknown }> = new Map([
  ["string", { read: string, zero: "" }],
  ["boolean", { read: boolean, zero: false }],
  ["int32", { read: int32, zero: 0 }],
  ["int64", { read: int64, zero: 0 }],
  ["intOrString", { read: intOrString, zero: 0 }],
  ["time", { read: time, zero: undefined }],
  ["microtime", { read: microtime, zero: undefined }],
  ["byte", { read: byte, zero: "" }],
  ["quantity", { read: quantity, zero: "0" }],
]);
