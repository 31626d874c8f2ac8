import { parseCidr } from "../net/cidr.ts";
import type { IPFamily } from "../net/ip.ts";

/** One step of the kernel's classic packet filter: `struct sock_filter` of `linux/filter.h`. */
export interface FilterStep {
  readonly code: number;
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

const LOAD_WORD = 0x20; // BPF_LD | BPF_W | BPF_ABS
const AND = 0x54; // BPF_ALU | BPF_AND | BPF_K
const JUMP_EQUAL = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
const JUMP = 0x05; // BPF_JMP | BPF_JA
const RETURN = 0x06; // BPF_RET | BPF_K
/** Offsets from here on count from the network header: SKF_NET_OFF. */
const NETWORK_HEADER = 0xfff00000;
const SOURCE = { IPv4: 12, IPv6: 8 } as const satisfies Record<IPFamily, number>;
const WHOLE_PACKET = 0xffffffff;

/** More steps than this the kernel does not take: BPF_MAXINSNS. */
const LONGEST = 4096;

/** The words of a range that say something: offset, mask and value. */
function wordsOf(range: string): [offset: number, mask: number, value: number][] {
  const { family, first, prefix } = parseCidr(range);
  const width = family === "IPv4" ? 32 : 128;
  const words: [number, number, number][] = [];
  for (let bit = 0; bit < prefix; bit += 32) {
    const bits = Math.min(32, prefix - bit);
    const mask = bits === 32 ? 0xffffffff : ~(0xffffffff >>> bits) >>> 0;
    words.push([SOURCE[family] + bit / 8, mask, Number((first >> BigInt(width - bit - 32)) & 0xffffffffn)]);
  }
  return words;
}

/** Goes to the step after the list when the source is in one of its ranges; else the packet ends here. */
function listSteps(ranges: readonly string[]): FilterStep[] {
  const checks = ranges.map(wordsOf);
  const lengthOf = (words: readonly unknown[]): number => words.length * 3 + 1;
  let left = checks.reduce((sum, words) => sum + lengthOf(words), 1);
  const steps: FilterStep[] = [];
  for (const words of checks) {
    const length = lengthOf(words);
    words.forEach(([offset, mask, value], at) => {
      // A miss goes on with the next range: two steps of each word that is left, and the jump behind them.
      const toNext = length - (at * 3 + 3);
      steps.push({ code: LOAD_WORD, jt: 0, jf: 0, k: NETWORK_HEADER + offset });
      steps.push({ code: AND, jt: 0, jf: 0, k: mask });
      steps.push({ code: JUMP_EQUAL, jt: 0, jf: toNext, k: value });
    });
    left -= length;
    steps.push({ code: JUMP, jt: 0, jf: 0, k: left });
  }
  steps.push({ code: RETURN, jt: 0, jf: 0, k: 0 });
  return steps;
}

/**
 * A filter for a socket of this family that lets packets in whose source is in some range of each list; others vanish in the kernel
 * before anybody hears of them. A list without ranges lets nobody in, no list everybody. Pure. Undefined where the kernel
 * would find it too long: about 1,000 ranges of IPv4, 300 of IPv6.
 */
export function sourceFilter(lists: readonly (readonly string[])[]): FilterStep[] | undefined {
  const steps = lists.flatMap(listSteps);
  steps.push({ code: RETURN, jt: 0, jf: 0, k: WHOLE_PACKET });
  return steps.length > LONGEST ? undefined : steps;
}

/** `struct sock_filter[]`. */
export function filterBytes(steps: readonly FilterStep[]): Buffer {
  const bytes = Buffer.alloc(steps.length * 8);
  steps.forEach(({ code, jt, jf, k }, at) => {
    bytes.writeUInt16LE(code, at * 8);
    bytes.writeUInt8(jt, at * 8 + 2);
    bytes.writeUInt8(jf, at * 8 + 3);
    bytes.writeUInt32LE(k >>> 0, at * 8 + 4);
  });
  return bytes;
}
