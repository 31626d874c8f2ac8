import type { Whole, WholeAnswer } from "./whole-answer.ts";

/** A question, and what both answered. */
export interface Told {
  readonly whole: Whole;
  readonly ours: WholeAnswer;
  readonly theirs: WholeAnswer;
  /** The block has a cache, which at CoreDNS holds everything, and here what comes from outside. */
  readonly isCached: boolean;
  /** The block can ask outside. */
  readonly hasOutside: boolean;
}

/** A difference in one field that is meant, and why. */
export interface Meant {
  readonly field: keyof WholeAnswer;
  readonly why: string;
  covers(told: Told): boolean;
}

const without = (flags: string, ...left: string[]): string =>
  flags
    .split(" ")
    .filter((flag) => !left.includes(flag))
    .join(" ");
const least = (ttls: readonly number[]): number => Math.min(...ttls);
const isRefused = ({ ours, theirs }: Told): boolean => ours.rcode === "REFUSED" && theirs.rcode === "SERVFAIL";

export const MEANT: readonly Meant[] = [
  {
    field: "rcode",
    why: "DNS-081: for names that nobody is to be asked for, REFUSED says that the server has no opinion; SERVFAIL, that it is broken",
    covers: isRefused,
  },
  {
    field: "opt",
    why: "OPT says how much a server itself takes (RFC 6891 §6.2.3): CoreDNS says the client's own number back",
    covers: ({ whole, ours, theirs }) =>
      ours.opt === `1232${whole.do === true ? " do" : ""} 0` &&
      theirs.opt === `${whole.edns}${whole.do === true ? " do" : ""} 0`,
  },
  {
    field: "opt",
    why: "a refusal says why (RFC 8914): CoreDNS does not",
    covers: (told) => isRefused(told) && told.ours.opt === "1232 1" && told.theirs.opt === "1232 0",
  },
  {
    field: "flags",
    why: "what is told from memory is not told with authority (RFC 1035 §4.1.1): CoreDNS says AA of everything that it kept",
    covers: ({ ours, theirs, isCached }) =>
      isCached && ours.flags === without(theirs.flags, "aa") && theirs.flags.startsWith("aa"),
  },
  {
    field: "flags",
    why: "AD goes to those who asked for it alone (RFC 6840 §5.8): CoreDNS without a cache tells it to all",
    covers: ({ whole, ours, theirs, isCached }) =>
      !isCached && whole.ad !== true && whole.do !== true && ours.flags === without(theirs.flags, "ad"),
  },
  {
    field: "flags",
    why: "RA says that this server asks others (RFC 1035 §4.1.1), whatever it says of this name: CoreDNS leaves it out of answers of its own",
    covers: ({ ours, theirs, hasOutside }) =>
      hasOutside && !theirs.flags.includes("ra") && without(ours.flags, "ra") === theirs.flags,
  },
  {
    field: "ttls",
    why: "each record has its own TTL, and the answer is kept for the least: CoreDNS writes the least into all",
    covers: ({ ours, theirs }) =>
      new Set(theirs.ttls).size === 1 &&
      ours.ttls.length === theirs.ttls.length &&
      least(ours.ttls) === least(theirs.ttls),
  },
  {
    field: "ttls",
    why: "a denial holds no longer than the last field of its SOA record says (RFC 2308 §5): CoreDNS looks at the record's TTL alone",
    covers: ({ whole, ours, theirs, isCached }) => {
      // 60, of which the field says 7 or 8, and the cache allows 30 or 3,600.
      const [mine, its] = [least(ours.ttls), least(theirs.ttls)];
      return (
        isCached && whole.rd !== false && ours.authority.length === 1 && [7, 8].includes(mine) && [30, 60].includes(its)
      );
    },
  },
  {
    field: "ttls",
    why: "without RD the answer is the other's of this moment, and is not kept: CoreDNS keeps it for whoever comes",
    covers: ({ whole, isCached }) => isCached && whole.rd === false,
  },
  {
    field: "ttls",
    why: "names from hosts have the TTL that was written there: CoreDNS's cache cuts it",
    covers: ({ ours, theirs, isCached }) =>
      isCached &&
      ours.flags.startsWith("aa") &&
      ours.ttls.every((ttl) => ttl === 77) &&
      theirs.ttls.every((ttl) => ttl === 30),
  },
];
