/** Letters and digits of which no word can be made: no vowels, nothing that looks like another. */
const SAFE = "bcdfghjklmnpqrstvwxz2456789";

/** FNV-1 of 32 bits, written so that it can be part of a name and of a label. */
export function hashOf(text: string): string {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = (Math.imul(hash, 0x01000193) ^ byte) >>> 0;
  return Array.from(String(hash), (digit) => SAFE[digit.charCodeAt(0) % SAFE.length]).join("");
}
