/** How a quantity is written: `1500m`, `2Gi`, `12e6`. */
type Format = "decimal" | "binary" | "exponent";

/** An amount of a resource (Kubernetes' `resource.Quantity`). */
export interface Quantity {
  /** In billionths, the finest that Kubernetes knows. */
  readonly nano: bigint;
  readonly format: Format;
}

/** How many billionths are one. */
export const NANO = 1_000_000_000n;
const QUANTITY = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+)|([numkMGTPE])|([KMGTPE])i)?$/;
const DECIMAL = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
const BINARY = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
/** What does not fit is cut to this, as upstream does: the greatest 64-bit number. */
const MAXIMUM = (2n ** 63n - 1n) * NANO;

export const ZERO: Quantity = { nano: 0n, format: "decimal" };

/** A whole number of things. */
export const count = (things: number): Quantity => ({ nano: BigInt(things) * NANO, format: "decimal" });

const divideUp = (value: bigint, by: bigint): bigint => (value + by - 1n) / by;

/** Reads a text that decoding has let pass. What is finer than a billionth is rounded up. @throws TypeError for anything else */
export function parseQuantity(text: string): Quantity {
  const [, sign, whole = "", fraction = "", exponent, decimal, binary] = QUANTITY.exec(text) ?? [];
  if (sign === undefined || whole + fraction === "") throw new TypeError(`${JSON.stringify(text)} is no quantity`);
  const digits = BigInt(whole + fraction);
  let scaled: bigint;
  if (binary !== undefined) {
    scaled = divideUp(digits * NANO * 1024n ** BigInt(BINARY.indexOf(`${binary}i`)), 10n ** BigInt(fraction.length));
  } else {
    const power = exponent === undefined ? (DECIMAL.indexOf(decimal ?? "") - 3) * 3 : Number(exponent);
    // Beyond this nothing is left of a number, or nothing but the maximum.
    const shift = Math.max(-400, Math.min(400, power + 9 - fraction.length));
    scaled = shift >= 0 ? digits * 10n ** BigInt(shift) : divideUp(digits, 10n ** BigInt(-shift));
  }
  if (scaled > MAXIMUM) scaled = MAXIMUM;
  const format = binary !== undefined ? "binary" : exponent !== undefined ? "exponent" : "decimal";
  return { nano: sign === "-" ? -scaled : scaled, format };
}

/** The canonical form: the largest suffix that needs no fraction, and none of another kind: `1500m`, `1536Mi`, `2k`. */
export function quantityText({ nano, format }: Quantity): string {
  if (nano === 0n) return "0";
  const size = nano < 0n ? -nano : nano;
  const sign = nano < 0n ? "-" : "";
  if (format === "binary" && size >= 1024n * NANO) {
    let value = divideUp(size, NANO);
    let power = 0;
    while (value % 1024n === 0n && power < BINARY.length - 1) {
      value /= 1024n;
      power += 1;
    }
    return `${sign}${value}${BINARY[power]}`;
  }
  let value = size;
  let power = 0;
  while (value % 1000n === 0n && power < DECIMAL.length - 1) {
    value /= 1000n;
    power += 1;
  }
  const exponent = (power - 3) * 3;
  const suffix = format === "exponent" ? (exponent === 0 ? "" : `e${exponent}`) : DECIMAL[power];
  return `${sign}${value}${suffix}`;
}

/** A sum is written as its parts are; nothing has no way of its own. */
export const addQuantities = (one: Quantity, other: Quantity): Quantity => ({
  nano: one.nano + other.nano,
  format: one.nano === 0n ? other.format : one.format,
});

export const subtractQuantities = (from: Quantity, what: Quantity): Quantity =>
  addQuantities(from, { ...what, nano: -what.nano });

export const isWhole = ({ nano }: Quantity): boolean => nano % NANO === 0n;
