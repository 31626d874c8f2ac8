import type { Cell, Metrics, Ranges } from "../../observe/metrics.ts";
import type { Query } from "../wire/query.ts";

/** What is counted of every answer, for one zone of one server. The hot path: no text is made here, and nothing is looked up by text. */
export interface ZoneFigures {
  /**
   * `plugin` is who answered, by CoreDNS's name; `milliseconds` is how long the answer took; the sizes are in bytes.
   */
  count(
    query: Query,
    isTcp: boolean,
    isIPv6: boolean,
    plugin: string,
    rcode: number,
    requestSize: number,
    responseSize: number,
    milliseconds: number,
  ): void;
}

/** The types CoreDNS counts by name; all others are `other`. */
const TYPES: readonly (readonly [number, string])[] = [
  [1, "A"],
  [2, "NS"],
  [5, "CNAME"],
  [6, "SOA"],
  [12, "PTR"],
  [15, "MX"],
  [16, "TXT"],
  [28, "AAAA"],
  [33, "SRV"],
  [43, "DS"],
  [46, "RRSIG"],
  [47, "NSEC"],
  [48, "DNSKEY"],
  [50, "NSEC3"],
  [64, "SVCB"],
  [65, "HTTPS"],
  [251, "IXFR"],
  [252, "AXFR"],
  [255, "ANY"],
];
const OTHER = TYPES.length;
const INDEX = new Uint8Array(256).fill(OTHER);
TYPES.forEach(([type], index) => (INDEX[type] = index));
const typeName = (index: number): string => TYPES[index]?.[1] ?? "other";

/** Response codes by CoreDNS's names (IANA DNS parameters). */
const RCODES = [
  "NOERROR",
  "FORMERR",
  "SERVFAIL",
  "NXDOMAIN",
  "NOTIMP",
  "REFUSED",
  "YXDOMAIN",
  "YXRRSET",
  "NXRRSET",
  "NOTAUTH",
  "NOTZONE",
];
export const rcodeName = (rcode: number): string => (rcode === 16 ? "BADVERS" : (RCODES[rcode] ?? `${rcode}`));

/** From a quarter of a millisecond to 8 seconds, doubling. */
export const TIMES = Array.from({ length: 16 }, (_, power) => 0.00025 * 2 ** power);
const SIZES = [0, 100, 200, 300, 400, 511, 1023, 2047, 4095, 8291, 16e3, 32e3, 48e3, 64e3];

const protocol = (isTcp: boolean): string => (isTcp ? "tcp" : "udp");

/** Makes the figures of zones. `server` is as CoreDNS writes it, `dns://:53`; `zone` ends with a dot. */
export function answerFigures(metrics: Metrics): (server: string, zone: string) => ZoneFigures {
  const zoneLabels = ["server", "zone", "view"];
  const requests = metrics.counter(
    "coredns_dns_requests_total",
    "Queries, by zone, protocol, address family (1: IPv4, 2: IPv6) and type.",
    [...zoneLabels, "proto", "family", "type"],
  );
  const durations = metrics.histogram(
    "coredns_dns_request_duration_seconds",
    "Seconds from a query's arrival until its answer is sent.",
    zoneLabels,
    TIMES,
  );
  const requestSizes = metrics.histogram(
    "coredns_dns_request_size_bytes",
    "Size of queries, in bytes.",
    [...zoneLabels, "proto"],
    SIZES,
  );
  const responseSizes = metrics.histogram(
    "coredns_dns_response_size_bytes",
    "Size of answers, in bytes.",
    [...zoneLabels, "proto"],
    SIZES,
  );
  const dnssec = metrics.counter(
    "coredns_dns_do_requests_total",
    "Queries whose asker wants DNSSEC records.",
    zoneLabels,
  );
  const responses = metrics.counter("coredns_dns_responses_total", "Answers, by response code and by who answered.", [
    ...zoneLabels,
    "rcode",
    "plugin",
  ]);

  return (server, zone) => {
    const labels = [server, zone, ""];
    const byType: Cell[] = [];
    const byCode = new Map<string, Cell[]>();
    const requestBytes: Ranges[] = [];
    const responseBytes: Ranges[] = [];
    let duration: Ranges | undefined;
    let wantsDnssec: Cell | undefined;
    return {
      count(query, isTcp, isIPv6, plugin, rcode, requestSize, responseSize, milliseconds) {
        const { type } = query;
        const typeIndex = type < 256 ? INDEX[type]! : OTHER;
        const way = isTcp ? 1 : 0;
        const request = (typeIndex << 2) | (way << 1) | (isIPv6 ? 1 : 0);
        let cell = byType[request];
        if (cell === undefined) {
          const family = isIPv6 ? "2" : "1";
          byType[request] = cell = requests.of(...labels, protocol(isTcp), family, typeName(typeIndex));
        }
        cell.value++;
        let codes = byCode.get(plugin);
        if (codes === undefined) byCode.set(plugin, (codes = []));
        let code = codes[rcode];
        if (code === undefined) codes[rcode] = code = responses.of(...labels, rcodeName(rcode), plugin);
        code.value++;
        (requestBytes[way] ??= requestSizes.of(...labels, protocol(isTcp))).observe(requestSize);
        (responseBytes[way] ??= responseSizes.of(...labels, protocol(isTcp))).observe(responseSize);
        (duration ??= durations.of(...labels)).observe(milliseconds / 1000);
        if (query.dnssecOk) (wantsDnssec ??= dnssec.of(...labels)).value++;
      },
    };
  };
}
