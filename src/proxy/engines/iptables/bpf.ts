import type { IPFamily } from "../../../net/ip.ts";

/** A program of classic BPF as the `bpf` match takes it: `code jt jf k` an instruction, at most 64. It reads the packet from its IP header on. */
const bytecode = (program: readonly string[]): string => `-m bpf --bytecode "${program.length},${program.join(",")}"`;

const load = (offset: number): string => `32 0 0 ${offset}`;
const TAKE_X = "7 0 0 0";
const XOR_X = "172 0 0 0";
const MATCHES = "6 0 0 65535";
const MATCHES_NOT = "6 0 0 0";
const shift = (bits: number): string => `116 0 0 ${bits}`;
const multiply = (by: number): string => `36 0 0 ${by}`;

/** Where the source address begins, and how many words of 32 bits it has. */
const SOURCE = { IPv4: { at: 12, words: 1 }, IPv6: { at: 8, words: 4 } } as const;

/**
 * Whether a packet's source is its destination: each 32 bits of the one are compared with those of the other. One rule
 * for all endpoints that call themselves (PRX-063).
 */
export function callsItself(family: IPFamily): string {
  const { at, words } = SOURCE[family];
  const compare = Array.from({ length: words }, (_, word) => {
    const place = at + 4 * word;
    const toEnd = 4 * (words - word - 1) + 1;
    return [load(place), TAKE_X, load(place + 4 * words), `29 0 ${toEnd} 0`];
  });
  return bytecode([...compare.flat(), MATCHES, MATCHES_NOT]);
}

/** Spreads the bits of a word over the word, so that neighbours end far apart. */
const MIX = [
  TAKE_X,
  shift(16),
  XOR_X,
  multiply(0x7feb352d),
  TAKE_X,
  shift(15),
  XOR_X,
  multiply(0x846ca68b),
  TAKE_X,
  shift(16),
  XOR_X,
];

/**
 * Whether the hash of the client's address, of 32 bits, is at most `bound`. The kernel's own match for this, `cluster`,
 * hashes the first 32 bits of an IPv6 address only (seen in 6.18), which is one for all clients of a network.
 */
export function hashedUpTo(bound: number, family: IPFamily): string {
  const { at, words } = SOURCE[family];
  const hash = Array.from({ length: words }, (_, word) => [
    load(at + 4 * word),
    ...(word === 0 ? [] : [XOR_X]),
    ...MIX,
    ...(word === words - 1 ? [] : [TAKE_X]),
  ]);
  return bytecode([...hash.flat(), `37 1 0 ${bound}`, MATCHES, MATCHES_NOT]);
}
