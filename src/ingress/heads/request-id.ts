import type { IncomingHttpHeaders } from "node:http";

const USABLE = /^[\x21-\x7e]{1,128}$/;
const hex = (random: () => number): string =>
  Math.floor(random() * 0x1_0000_0000)
    .toString(16)
    .padStart(8, "0");

/** What the client calls its request, or a name of 32 hexadecimal digits. */
export function requestIdOf(headers: IncomingHttpHeaders, random: () => number): string {
  const said = headers["x-request-id"];
  return typeof said === "string" && USABLE.test(said) ? said : hex(random) + hex(random) + hex(random) + hex(random);
}
