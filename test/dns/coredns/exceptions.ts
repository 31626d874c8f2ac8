import type { Answer } from "./answers.ts";
import type { Exception } from "./judge.ts";

const isNoData = ({ rcode, answers, authority }: Answer): boolean =>
  rcode === "NOERROR" && answers.length === 0 && authority.length === 1;
const isNoName = ({ rcode, answers }: Answer): boolean => rcode === "NXDOMAIN" && answers.length === 0;
const isReverse = (name: string): boolean => /(^|\.)(in-addr|ip6)\.arpa$/i.test(name);
const isEqual = (left: readonly string[], right: readonly string[]): boolean => left.join("\n") === right.join("\n");

/** Records without the servers and the mailboxes that they name. */
const unnamed = (records: readonly string[]): string[] =>
  records.map((each) => each.replace(/ SOA \S+ \S+ /, " SOA ").replace(/ NS \S+$/, " NS"));

/** Records of a chain of aliases, before what they lead to. */
const aliases = ({ answers }: Answer): string[] => answers.filter((each) => / CNAME /.test(each));

/** The same start of authority, as far as it is compared; what CoreDNS passed on to the resolver behind it has that one's. */
const likeSoa = (name: string, ours: Answer, theirs: Answer): boolean =>
  !theirs.authoritative ||
  (isReverse(name)
    ? isEqual(unnamed(ours.authority), unnamed(theirs.authority))
    : isEqual(ours.authority, theirs.authority));

/** Where our answer is another one, and why: each is a fault of CoreDNS's, as the standards have it, or of no consequence. */
export const EXCEPTIONS: readonly Exception[] = [
  {
    why: "a reverse zone's start of authority names our server by a name that exists: ns.dns.in-addr.arpa does not",
    covers: ({ name, type }, { ours, theirs }) =>
      isReverse(name) &&
      ours.rcode === theirs.rcode &&
      (type === "NS" && ours.answers.length > 0
        ? isEqual(unnamed(ours.answers), unnamed(theirs.answers)) && ours.additional.length === theirs.additional.length
        : isEqual(unnamed(ours.answers), unnamed(theirs.answers)) &&
          isEqual(unnamed(ours.authority), unnamed(theirs.authority))),
  },
  {
    why: "DNS-070: a name that is not there is not there for SOA either (RFC 2308 §2.1)",
    covers: ({ type, name }, { ours, theirs }, also) =>
      type === "SOA" && isNoName(ours) && isNoData(theirs) && likeSoa(name, ours, theirs) && isNoName(also("A")!.ours),
  },
  {
    why: "DNS-081: for names of nobody's zone, REFUSED says that the server has no opinion; SERVFAIL, that it is broken",
    covers: ({ name }, { ours, theirs }) =>
      !/(^|\.)cluster\.local$/i.test(name) && ours.rcode === "REFUSED" && theirs.rcode === "SERVFAIL",
  },
  {
    why: "DNS-081: a name of one label with nobody to ask is not there, so that resolvers go on with their search list",
    covers: ({ name }, { ours, theirs }) =>
      /^[^.]+$/.test(name) && isNoName(ours) && !ours.authoritative && theirs.rcode === "SERVFAIL",
  },
  {
    why: "DNS-084: pods have no ports, and so no SRV records: CoreDNS makes one of port 0",
    covers: ({ name, type }, { ours, theirs }) =>
      type === "SRV" &&
      /\.pod\.cluster\.local$/i.test(name) &&
      isNoData(ours) &&
      theirs.answers.every((each) => / SRV 0 \d+ 0 /.test(each)),
  },
  {
    why: "DNS-077: there is nothing below a pod's name: CoreDNS does not look at what stands before it",
    covers: ({ name, type }, { ours, theirs }) =>
      /^.+\.[^.]+\.[^.]+\.pod\.cluster\.local$/i.test(name) &&
      isNoName(ours) &&
      (isNoData(theirs) || (theirs.answers.length === 1 && ["A", "AAAA", "SRV"].includes(type))),
  },
  {
    why: "a name that only leads to others is there, without records: _tcp.SERVICE, dns.ZONE (RFC 8020 §2)",
    covers: ({ name }, { ours, theirs }) =>
      (/^(_(tcp|udp|sctp)|((pin|prefer)\.)?_zone)\.[^.]+\.[^.]+\.svc\.cluster\.local$/i.test(name) ||
        /^dns\.cluster\.local$/i.test(name)) &&
      isNoData(ours) &&
      isNoName(theirs) &&
      likeSoa(name, ours, theirs),
  },
  {
    why: "a part of a reverse name has the names of addresses below it (RFC 8020 §2)",
    covers: ({ name }, { ours, theirs }) =>
      /^((\d{1,3}\.){1,3}in-addr|([\da-f]\.){1,31}ip6)\.arpa$/i.test(name) &&
      isNoData(ours) &&
      isNoName(theirs) &&
      likeSoa(name, ours, theirs),
  },
  {
    why: "DNS-063: dns-version.ZONE is there for every type, not for TXT alone",
    covers: ({ name }, { ours, theirs }) =>
      /^dns-version\.cluster\.local$/i.test(name) && isNoData(ours) && isNoName(theirs),
  },
  {
    why: "DNS-063: a reverse name that has a PTR record is there for every type",
    covers: ({ name, type }, { ours, theirs }, also) =>
      isReverse(name) &&
      type !== "PTR" &&
      isNoData(ours) &&
      isNoName(theirs) &&
      likeSoa(name, ours, theirs) &&
      (also("PTR") === undefined || also("PTR")!.theirs.answers.length > 0),
  },
  {
    why: "DNS-063, DNS-067, DNS-068, DNS-087: a name without records that is there is there for TXT too",
    covers: ({ type }, { ours, theirs }, also) =>
      type === "TXT" && isNoData(ours) && isNoName(theirs) && also("A")!.theirs.rcode === "NOERROR",
  },
  {
    why: "DNS-024: names in slices of type FQDN are nobody's addresses: CoreDNS makes an alias of each",
    covers: ({ name }, { ours, theirs }) =>
      /twoports\.testns\./i.test(name) &&
      isEqual(
        ours.answers,
        theirs.answers.filter((each) => !each.endsWith(" pod.example.com")),
      ),
  },
  {
    why: "a Service that is gone has no names, and its endpoints no reverse ones: CoreDNS points to a name it then denies",
    covers: ({ name, type }, { ours, theirs }) =>
      type === "PTR" &&
      name.toLowerCase() === "99.0.0.172.in-addr.arpa" &&
      isNoName(ours) &&
      theirs.answers.every((each) => each.endsWith(".ghost.testns.svc.cluster.local")),
  },
  {
    why: "DNS-038: weights are shared among addresses, each counted once: CoreDNS counts one again for each slice it is in",
    under: /random/,
    covers: ({ type }, { ours, theirs }) => {
      const unweighed = (records: readonly string[]): string[] =>
        records.map((each) => each.replace(/ SRV 0 \d+ /, " SRV 0 ")).toSorted();
      return (
        type === "SRV" &&
        ours.rcode === theirs.rcode &&
        isEqual(unweighed(ours.answers), unweighed(theirs.answers)) &&
        isEqual(ours.additional, theirs.additional)
      );
    },
  },
  {
    why: "DNS-055: an ExternalName has no endpoints, whatever slices are left: CoreDNS points to names it then denies",
    covers: ({ name, type }, { ours, theirs }, also) => {
      if (type !== "PTR" || !isReverse(name)) return false;
      const isThere = (record: string): boolean => also("A", record.split(" ")[3])?.theirs.rcode === "NOERROR";
      const there = theirs.answers.filter(isThere);
      return (
        there.length < theirs.answers.length && (there.length === 0 ? isNoName(ours) : isEqual(ours.answers, there))
      );
    },
  },
  {
    why: "a reverse name is 32 digits and no more (RFC 3596 §2.5): CoreDNS takes any before them for part of it",
    covers: ({ name }, { ours, theirs }) =>
      /^(?:[^.]+\.){33,}ip6\.arpa$/i.test(name) && isNoName(ours) && theirs.rcode === "NOERROR",
  },
  {
    why: "DNS-051: an alias is told also where what it leads to has nothing of the type (RFC 2308 §2.2)",
    covers: ({ type }, { ours, theirs }) =>
      (type === "A" || type === "AAAA") &&
      isNoData(theirs) &&
      ours.rcode === "NOERROR" &&
      ours.answers.length > 0 &&
      aliases(ours).length === ours.answers.length &&
      isEqual(ours.authority, theirs.authority),
  },
  {
    why: "DNS-053: an alias of itself is no record",
    covers: ({ name, type }, { ours }) =>
      type === "CNAME" && /^external-loop\.testns\.svc\.cluster\.local$/i.test(name) && isNoData(ours),
  },
  {
    why: "DNS-039: an underscore without a name is no port: CoreDNS takes it for all of them",
    covers: ({ name }, { ours, theirs }) => /(^|\.)_\./.test(name) && isNoName(ours) && theirs.rcode === "NOERROR",
  },
  {
    why: "DNS-018: a zone's name servers are told in any spelling of its name: CoreDNS knows lower case alone",
    covers: ({ name, type }, { ours, theirs }) =>
      type === "NS" && name !== name.toLowerCase() && ours.answers.length === 1 && isNoData(theirs),
  },
  {
    why: "DNS-096: a pod's name with a dot in it is no label: CoreDNS points to a name of two labels that it then denies",
    under: /DNS-096/,
    covers: ({ name }, { theirs, ours }) =>
      /(^|\.)podnames\.testns\./i.test(name)
        ? theirs.rcode === "NXDOMAIN" || theirs.answers.some((each) => each.includes(" dotted.name.podnames."))
        : name.toLowerCase() === "4.5.0.172.in-addr.arpa" &&
          theirs.answers.every((each) => each.includes(" dotted.name.podnames.")) &&
          ours.answers.every((each) => each.includes(" 172-0-5-4.podnames.")),
  },
  {
    why: "DNS-076, DNS-127: a name that is not told is not pointed to either: CoreDNS points to names that it then denies",
    under: /DNS-076|DNS-127/,
    covers: ({ name, type }, { ours, theirs }) =>
      type === "PTR" &&
      isReverse(name) &&
      theirs.answers.length > 0 &&
      (isNoName(ours) || (name === "3.0.0.10.in-addr.arpa" && ours.answers[0]!.includes(".noselector."))),
  },
  {
    why: "DNS-085: a pod is known by all its addresses: CoreDNS knows the first alone",
    under: /DNS-085/,
    covers: ({ name }, { ours, theirs }) =>
      /^2001-db8-9--2\.testns\.pod\./i.test(name) && isNoName(theirs) && ours.rcode === "NOERROR",
  },
  {
    why: "DNS-063: the name server is there for every type",
    covers: ({ name, type }, { ours, theirs }) =>
      /^ns\.dns\.cluster\.local$/i.test(name) && type !== "A" && type !== "AAAA" && isNoData(ours) && isNoName(theirs),
  },
  {
    why: "DNS-018: the name server is found in any spelling: CoreDNS knows lower case alone",
    covers: ({ name }, { ours, theirs }, also) =>
      name !== name.toLowerCase() &&
      /^ns\.dns\.cluster\.local$/i.test(name) &&
      isNoName(theirs) &&
      ours.rcode === "NOERROR" &&
      also("A") !== undefined,
  },
];
