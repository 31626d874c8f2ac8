/** Record types by their number on the wire (IANA DNS parameters). */
export const TYPE = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  OPT: 41,
  IXFR: 251,
  AXFR: 252,
  ANY: 255,
} as const;

/** Response codes (RFC 1035 §4.1.1); BADVERS needs the upper bits that EDNS carries (RFC 6891 §9). */
export const RCODE = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  BADVERS: 16,
} as const;

export type AddressRecord = { readonly type: "A" | "AAAA"; readonly address: string };
export type PointingRecord = { readonly type: "CNAME" | "PTR" | "NS"; readonly target: string };
export type SrvRecord = {
  readonly type: "SRV";
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  readonly target: string;
};
export type SoaRecord = {
  readonly type: "SOA";
  readonly primary: string;
  readonly mailbox: string;
  readonly serial: number;
  readonly refresh: number;
  readonly retry: number;
  readonly expire: number;
  readonly minimum: number;
};
export type TxtRecord = { readonly type: "TXT"; readonly text: string };

/** A record as it is answered. Names are dotted, in lower case, without the final dot; `ttl` is in seconds. */
export type DnsRecord = { readonly name: string; readonly ttl: number } & (
  | AddressRecord
  | PointingRecord
  | SrvRecord
  | SoaRecord
  | TxtRecord
);

/** What a question is answered with, before it becomes bytes. */
export interface Answer {
  readonly rcode: number;
  readonly authoritative: boolean;
  readonly answers: readonly DnsRecord[];
  readonly authority: readonly DnsRecord[];
  readonly additional: readonly DnsRecord[];
}

/** What a name would be without the first domain of a pod's search list. */
export interface Search {
  /** The search list is that of pods in this namespace. */
  readonly namespace: string;
  readonly rest: readonly string[];
}

/** An answer, and what it was computed from: when one of `depends` changes, the answer is out of date. */
export interface Lookup {
  readonly answer: Answer;
  readonly depends: readonly string[];
  /** A name outside the zone whose addresses belong behind the CNAMEs in `answer` (DNS-050), which are told alone where it has none, or cannot be resolved (DNS-052). */
  readonly chase?: { readonly name: string };
  /** The name does not exist, nor will any in the zone that the rest of a search list makes of it: a pod with that list is better told what is outside. */
  readonly search?: Search;
  /** Why there is no real answer, for askers who speak EDNS (RFC 8914). With it an answer is not kept: it may be another one at any moment. */
  readonly explanation?: { readonly code: number; readonly text: string };
  /** The question may be asked again when this resolves: there may be a real answer then. */
  readonly later?: Promise<void>;
}

/** The things an {@link Answer} can depend on, as words. */
export const dependsOn = {
  service: (key: string): string => `service ${key}`,
  namespace: (name: string): string => `namespace ${name}`,
  address: (ip: string): string => `address ${ip}`,
};
