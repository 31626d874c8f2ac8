import type { Secret } from "../../api/generated/types.ts";
import type { CookieKeys } from "./token.ts";

/** Bytes of a key; with fewer a token could be guessed. */
const LEAST = 32;
/** Former keys in the order of their age: `previous-0`, `previous-1`, … */
const FORMER = /^previous-(\d{1,4})$/;

export interface ReadKeys {
  /** Empty where the current one cannot be used: without it nobody knows which session cookies to give out. */
  readonly keys: CookieKeys;
  /** What is there and what should be. */
  readonly faults: readonly string[];
}

/** The keys in the data of a Secret: `key`, which makes cookies, and `previous-0` …, which are known still. */
export function readKeys(data: Secret["data"]): ReadKeys {
  const faults: string[] = [];
  const read = (name: string): Uint8Array | undefined => {
    const text = data?.[name];
    if (text === undefined) {
      faults.push(`data.${name} is missing; it should be ${LEAST} random bytes`);
      return undefined;
    }
    if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0) {
      faults.push(`data.${name} is not base64; it should be ${LEAST} random bytes in base64`);
      return undefined;
    }
    const key = Buffer.from(text, "base64");
    if (key.length >= LEAST) return key;
    faults.push(`data.${name} has ${key.length} bytes; it should have ${LEAST}, random ones`);
    return undefined;
  };
  const current = read("key");
  const former = Object.keys(data ?? {})
    .filter((name) => FORMER.test(name))
    .sort((one, other) => ageOf(one) - ageOf(other))
    .flatMap((name) => read(name) ?? []);
  return { keys: current === undefined ? [] : [current, ...former], faults };
}

const ageOf = (name: string): number => Number(FORMER.exec(name)?.[1]);

/** The data of a Secret with these keys. */
export const writeKeys = (keys: CookieKeys): Record<string, string> =>
  Object.fromEntries(
    keys.map((key, at) => [at === 0 ? "key" : `previous-${at - 1}`, Buffer.from(key).toString("base64")]),
  );
