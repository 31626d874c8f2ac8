import type { CacheOptions } from "../../configuration/configuration.ts";
import { RCODE, TYPE } from "../../names/record.ts";
import type { Kept } from "../figures.ts";
import { nameAt, readTtl, writeTtl, type Response } from "../response.ts";

/** What a response is to a cache: an answer, a denial (RFC 2308), a failure, or nothing to be kept. */
export type Kind = Kept | "failure" | "nothing";

const ANY = 255;
const MOST_ALIASES = 16;

const typeAt = (bytes: Buffer, ttl: number): number => bytes.readUInt16BE(ttl - 4);
const dataAt = (ttl: number): number => ttl + 6;
const endAt = (bytes: Buffer, ttl: number): number => ttl + 6 + bytes.readUInt16BE(ttl + 4);

/** Where each record's owner name begins. */
function ownersOf({ bytes, end, ttls }: Response): number[] {
  return ttls.map((_, record) => (record === 0 ? end : endAt(bytes, ttls[record - 1]!)));
}

/** Where the TTL of the SOA record is that says how long a denial holds; undefined when there is none. */
function soaOf({ bytes, ttls, answers, authority }: Response): number | undefined {
  return ttls.slice(answers, answers + authority).find((ttl) => typeAt(bytes, ttl) === TYPE.SOA);
}

/** True when the answer section has what was asked for, at the question's name or where its CNAMEs lead (RFC 1034 §3.6.2). */
function isAnswered(response: Response): boolean {
  const { bytes, end, answers } = response;
  if (answers === 0) return false;
  const asked = bytes.readUInt16BE(end - 4);
  // Most answers: the name itself, with the type.
  if (bytes.readUInt16BE(end) === 0xc00c && typeAt(bytes, response.ttls[0]!) === asked) return true;

  const ttls = response.ttls.slice(0, answers);
  const owners = ownersOf(response);
  const records = ttls.map((ttl, record) => ({ name: nameAt(bytes, owners[record]!), type: typeAt(bytes, ttl), ttl }));
  let name = nameAt(bytes, 12);
  for (let alias = 0; alias < MOST_ALIASES; alias += 1) {
    const here = records.filter((record) => record.name === name);
    if (here.some(({ type }) => type === asked || asked === ANY)) return true;
    const cname = here.find(({ type }) => type === TYPE.CNAME);
    if (cname === undefined) return false;
    name = nameAt(bytes, dataAt(cname.ttl));
  }
  return false;
}

/** What a response is, to be kept or not. */
export function kindOf(response: Response): Kind {
  const { rcode, isCut } = response;
  if (isCut) return "nothing";
  switch (rcode) {
    case RCODE.NOERROR:
      if (isAnswered(response)) return "success";
      // Without an SOA record it is not said for how long (RFC 2308 §5); a mere referral is no answer either.
      return soaOf(response) === undefined ? "nothing" : "denial";
    case RCODE.NXDOMAIN:
      return soaOf(response) === undefined ? "nothing" : "denial";
    case RCODE.SERVFAIL:
    case RCODE.NOTIMP:
      return "failure";
    default:
      return "nothing";
  }
}

/** The most seconds a failure may be kept (RFC 2308 §7). */
const LONGEST_FAILURE = 300;

/** A response as it is kept: TTLs within their bounds, and the seconds after which it is over. */
export interface Keeping {
  readonly response: Response;
  readonly kind: Exclude<Kind, "nothing">;
  readonly lifetime: number;
}

/** Bytes that may lie unused behind an answer that is kept. */
const SPARE = 64;

/** The bytes themselves if they are alone in their memory; else a copy: a small answer may be part of a large piece, all of which would be kept. */
function alone(bytes: Buffer): Buffer {
  if (bytes.buffer.byteLength <= bytes.length + SPARE) return bytes;
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  copy.set(bytes);
  return copy;
}

/**
 * How a response is to be kept; undefined when it is not. Brings each TTL within the bounds of its kind, in the response's
 * own bytes: others who wait for it are to see the same. A denial lasts as long as its SOA record, or as that one's last
 * field says, whichever is less (RFC 2308 §5).
 */
export function keepingOf(response: Response, options: CacheOptions): Keeping | undefined {
  const kind = kindOf(response);
  if (kind === "nothing") return undefined;
  const { bytes } = response;
  let lifetime = Math.min(options.servfail, LONGEST_FAILURE);
  if (kind !== "failure") {
    const bounds = kind === "success" ? options.success : options.denial;
    const soa = kind === "denial" ? soaOf(response) : undefined;
    lifetime = bounds.ttl;
    for (const at of response.ttls) {
      let ttl = readTtl(bytes, at);
      if (at === soa) ttl = Math.min(ttl, readTtl(bytes, endAt(bytes, at) - 4));
      ttl = Math.min(bounds.ttl, Math.max(bounds.minTtl, ttl));
      writeTtl(bytes, at, ttl);
      lifetime = Math.min(lifetime, ttl);
    }
  }
  if (lifetime <= 0) return undefined;
  const own = alone(bytes);
  return { response: own === bytes ? response : { ...response, bytes: own }, kind, lifetime };
}
