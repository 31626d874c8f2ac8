import { TYPE, type Search } from "../names/record.ts";
import type { Response } from "../wire/response.ts";
import type { WireAnswer, WireRecord } from "../wire/writer.ts";

/**
 * The search list in one round trip. A resolver with `ndots:5` makes a name with the first domain of its list, hears that there is
 * none, tries the next domain, and so on; most queries of a cluster are of that kind. Where it is certain how the list goes on,
 * the end of it is told at once: the first name is an alias of the one that the resolver would have come to.
 */

/** What this server answers to a further question; rejects when that is a failure. */
export type Ask = (labels: readonly string[], type: number) => Promise<Response>;

/** Where a search list ends, and what is there. */
export interface Found {
  readonly labels: readonly string[];
  readonly response: Response;
}

const LONGEST_NAME = 255;
/** Types from here on are questions about many types or about the packet itself, not records (RFC 6895 §3.1). */
const FIRST_META = 128;

const isAddress = (type: number): boolean => type === TYPE.A || type === TYPE.AAAA;
const typeOf = (record: WireRecord): number => (record.type === "raw" ? record.code : TYPE[record.type]);
const has = ({ answers }: Response, type: number): boolean => answers.some((record) => typeOf(record) === type);
const fits = (labels: readonly string[]): boolean =>
  labels.reduce((sum, { length }) => sum + length + 1, 1) <= LONGEST_NAME;

/** True for a question whose search can be answered in one packet; names in it are written with dots. */
export const isSearchable = ({ rest }: Search, type: number): boolean =>
  (type < FIRST_META || type > TYPE.ANY) && type !== TYPE.OPT && !rest.some((label) => label.includes("."));

/**
 * Goes through the domains of a search list that stand behind the cluster's, and lastly to the name itself. A name with a
 * domain is taken when it has an address of either family, so that A and AAAA come to the same end; of other types,
 * when it has a record of that type. The name itself is taken whatever is there.
 */
export async function searchOn(
  rest: readonly string[],
  domains: readonly string[],
  type: number,
  ask: Ask,
): Promise<Found> {
  for (const domain of domains) {
    const labels = [...rest, ...domain.split(".").filter((label) => label !== "")];
    if (!fits(labels)) continue;
    const response = await ask(labels, type);
    if (has(response, type)) return { labels, response };
    if (!isAddress(type)) continue;
    const other = type === TYPE.A ? TYPE.AAAA : TYPE.A;
    if (has(await ask(labels, other), other)) return { labels, response };
  }
  return { labels: rest, response: await ask(rest, type) };
}

/**
 * `name` as an alias of what was found, in place of `plain`, the answer that there is no such name. When there is nothing of the
 * type asked, the start of authority is that of whoever said so (RFC 2308 §2.1, §2.2).
 */
export function aliased(name: string, plain: WireAnswer, found: Found, type: number): WireAnswer {
  const [soa] = plain.authority;
  const ttl = soa?.type === "SOA" ? soa.minimum : 0;
  const { response, labels } = found;
  return {
    rcode: response.rcode,
    // The first owner's name is ours (RFC 1035 §4.1.1).
    authoritative: plain.authoritative,
    answers: [{ name, ttl, type: "CNAME", target: labels.join(".") }, ...response.answers],
    authority: has(response, type) ? [] : response.authority.filter((record) => typeOf(record) === TYPE.SOA),
    additional: [],
  };
}
