import assert from "node:assert/strict";
import { test } from "node:test";
import {
  array,
  assert as check,
  bigInt,
  constant,
  constantFrom,
  nat,
  property,
  tuple,
  type Arbitrary,
} from "fast-check";
import { cidrContains, parseCidr } from "../net/cidr.ts";
import { fromNumber, toNumber, type IPFamily } from "../net/ip.ts";
import { sourceFilter, type FilterStep } from "./socket-filter.ts";

/** What the kernel does with the steps, as far as they are used. */
function letsIn(steps: readonly FilterStep[], source: string, family: IPFamily): boolean {
  const width = family === "IPv4" ? 32 : 128;
  const offset = family === "IPv4" ? 12 : 8;
  let accumulator = 0;
  for (let at = 0; ; at++) {
    const { code, jt, jf, k } = steps[at]!;
    if (code === 0x20) {
      const word = (k - 0xfff00000 - offset) / 4;
      accumulator = Number((toNumber(source) >> BigInt(width - 32 * (word + 1))) & 0xffffffffn);
    } else if (code === 0x54) accumulator = (accumulator & k) >>> 0;
    else if (code === 0x15) at += accumulator === k >>> 0 ? jt : jf;
    else if (code === 0x05) at += k;
    else return k !== 0;
  }
}

const family = constantFrom<IPFamily>("IPv4", "IPv6");
const rangeOf = (of: IPFamily): Arbitrary<string> =>
  tuple(bigInt({ min: 0n, max: of === "IPv4" ? 0xffffffffn : (1n << 128n) - 1n }), nat(of === "IPv4" ? 32 : 128)).map(
    ([number, prefix]) => parseCidr(`${fromNumber(number, of)}/${prefix}`).text,
  );

void test("sourceFilter: lets in who is in some range of each list, and nobody else", () => {
  const lists = family.chain((of) =>
    tuple(
      constant(of),
      array(array(rangeOf(of), { maxLength: 5 }), { maxLength: 3 }),
      array(rangeOf(of), { minLength: 1, maxLength: 5 }),
    ),
  );
  check(
    property(lists, ([of, ranges, sources]) => {
      const steps = sourceFilter(ranges)!;
      // Sources at random are in no range: those at the ends of ranges, and beside them, are.
      const candidates = [...sources, ...ranges.flat()].flatMap((text) => {
        const { first, last } = parseCidr(text);
        const most = of === "IPv4" ? 0xffffffffn : (1n << 128n) - 1n;
        return [first, last, first - 1n, last + 1n].filter((one) => one >= 0n && one <= most);
      });
      for (const candidate of candidates) {
        const ip = fromNumber(candidate, of);
        const expected = ranges.every((list) => list.some((range) => cidrContains(parseCidr(range), ip)));
        assert.equal(letsIn(steps, ip, of), expected, `${ip} with ${JSON.stringify(ranges)}`);
      }
    }),
    { numRuns: 1000 },
  );
});

void test("sourceFilter: says when the kernel would find it too long", () => {
  const ranges = Array.from({ length: 2000 }, (_, at) => `10.${at >> 8}.${at & 255}.0/24`);
  assert.ok(sourceFilter([ranges.slice(0, 1000)]));
  assert.equal(sourceFilter([ranges]), undefined);
});
