import type { CacheOptions } from "../../configuration/configuration.ts";
import { RCODE, TYPE } from "../../names/record.ts";
import type { Kept } from "../figures.ts";
import { nameAt, readTtl, type Response } from "../response.ts";

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
  const ttls = response.ttls.slice(0, answers);
  const owners = ownersOf(response);
  // Most answers: the name itself, with the type.
  const isPlain = (ttl: number, record: number): boolean =>
    typeAt(bytes, ttl) === asked && bytes.readUInt16BE(owners[record]) === 0xc00c;
  if (ttls.every(isPlain)) return true;

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

/**
 * How a response is to be kept, in a copy of its own with each TTL brought within the bounds of its kind; undefined when it
 * is not. A denial lasts as long as its SOA record, or as that one's last field says, whichever is less (RFC 2308 §5).
 */
export function keepingOf(response: Response, options: CacheOptions): Keeping | undefined {
  const kind = kindOf(response);
  if (kind === "nothing") return undefined;
  // Not of the shared pool, of which one small answer would hold a whole piece.
  const bytes = Buffer.allocUnsafeSlow(response.bytes.length);
  bytes.set(response.bytes);
  if (kind === "failure") {
    const lifetime = Math.min(options.servfail, LONGEST_FAILURE);
    return lifetime > 0 ? { response: { ...response, bytes }, kind, lifetime } : undefined;
  }
  const bounds = kind === "success" ? options.success : options.denial;
  const soa = kind === "denial" ? soaOf(response) : undefined;
  let lifetime = bounds.ttl;
  for (const at of response.ttls) {
    let ttl = readTtl(bytes, at);
    if (at === soa) ttl = Math.min(ttl, readTtl(bytes, endAt(bytes, at) - 4));
    ttl = Math.min(bounds.ttl, Math.max(bounds.minTtl, ttl));
    bytes.writeUInt32BE(ttl, at);
    lifetime = Math.min(lifetime, ttl);
  }
  return lifetime > 0 ? { response: { ...response, bytes }, kind, lifetime } : undefined;
}
