import { familyOf } from "../../../../net/ip.ts";
import type { ForwardOptions, UpstreamOptions } from "../../configuration.ts";
import { usualForward } from "../../usual.ts";
import type { Word } from "../blocks.ts";
import type { Directive, Reading } from "../directive.ts";
import { faultAt, quoted } from "../fault.ts";
import { nameserversOf } from "../../resolv-conf.ts";
import { durationOf, expectArgs, expectNoBody, numberOf, oneOf, unknownOption } from "../values.ts";
import { zonesOf } from "../zones.ts";

type Draft = { -readonly [Key in keyof ForwardOptions]: ForwardOptions[Key] };

const OPTIONS = [
  "except",
  "force_tcp",
  "prefer_udp",
  "expire",
  "max_fails",
  "max_connect_attempts",
  "tls",
  "tls_servername",
  "policy",
  "health_check",
  "max_concurrent",
  "failover",
  "failfast_all_unhealthy_upstreams",
];

/** Response codes by name (RFC 1035 §4.1.1, RFC 2136 §2.2, RFC 6891 §9). */
const CODES: Readonly<Record<string, number>> = {
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  YXDOMAIN: 6,
  YXRRSET: 7,
  NXRRSET: 8,
  NOTAUTH: 9,
  NOTZONE: 10,
  BADVERS: 16,
};

/** `ADDRESS`, `ADDRESS:PORT` or `[ADDRESS]:PORT`. */
function socketOf(text: string, usualPort: number): { readonly address: string; readonly port: number } | undefined {
  if (familyOf(text) !== undefined) return { address: text, port: usualPort };
  const [, six, four, digits] = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const address = six ?? four ?? "";
  const family = familyOf(address);
  const port = digits === undefined ? usualPort : Number(digits);
  if (family === undefined || (six !== undefined) !== (family === "IPv6") || port < 1 || port > 65535) return undefined;
  return { address, port };
}

/** What one word after the zone means: a resolver, or those of a file in the form of resolv.conf. */
function resolversOf(word: Word, reading: Reading): UpstreamOptions[] {
  const [, scheme = "dns", rest = word.text] = /^([a-z][a-z0-9]*):\/\/(.*)$/s.exec(word.text) ?? [];
  if (scheme !== "dns" && scheme !== "tls") {
    throw faultAt(word, `forward: ${quoted(word.text)}: ${scheme}:// is not spoken here; there are dns:// and tls://`);
  }
  const isTls = scheme === "tls";
  // A name that the certificate must have may stand behind the address: tls://9.9.9.9%dns.quad9.net:853.
  const [, address = rest, serverName, port = ""] = (isTls && /^(.+?)%([^:\]]+)\]?(:\d+)?$/s.exec(rest)) || [];
  const whole = serverName !== undefined && address.startsWith("[") ? `${address}]` : address;
  const found = socketOf(`${whole}${port}`, isTls ? 853 : 53);
  if (found !== undefined) {
    return [isTls ? { ...found, tls: serverName === undefined ? {} : { serverName } } : found];
  }
  const wanted = "an address such as 192.0.2.53 or [2001:db8::53]:53, nor a file such as /etc/resolv.conf";
  let text: string;
  try {
    text = reading.readFile(rest);
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code === "ENOENT" ? "" : ` (reading it: ${(error as Error).message})`;
    throw faultAt(word, `forward: ${quoted(word.text)} is neither ${wanted}${why}`);
  }
  const addresses = nameserversOf(text);
  if (addresses.length === 0) throw faultAt(word, `forward: ${quoted(rest)} names no nameserver`);
  return addresses.map((one) => (isTls ? { address: one, port: 853, tls: {} } : { address: one, port: 53 }));
}

/** `forward ZONE RESOLVER… { … }`: who is asked for other names. */
export const forward: Directive = {
  name: "forward",
  repeats: true,
  read(line, reading) {
    const { block, warn } = reading;
    expectArgs(line, "forward ZONE RESOLVER…, such as forward . /etc/resolv.conf", 2, Number.MAX_SAFE_INTEGER);
    const [from, ...to] = line.args;
    const zones = zonesOf(from!);
    if (zones.length > 1) {
      throw faultAt(
        from!,
        `forward: ${quoted(from!.text)} is ${zones.length} reverse zones, ${zones[0]} and more; give each its own line`,
      );
    }
    const all = to.flatMap((word) => resolversOf(word, reading));
    const resolvers = [...new Map(all.map((one) => [JSON.stringify(one), one])).values()];
    const draft: Draft = { ...usualForward(resolvers, zones[0]) };
    let serverName: Word | undefined;
    for (const option of line.body) {
      expectNoBody(option);
      const [first] = option.args;
      switch (option.name) {
        case "except":
          expectArgs(option, "except ZONE…", 1, Number.MAX_SAFE_INTEGER);
          draft.except = [...draft.except, ...option.args.flatMap(zonesOf)];
          break;
        case "max_fails":
          expectArgs(option, "max_fails NUMBER", 1);
          draft.maxFails = numberOf(option, first!, 0, 4_294_967_295, "a number of health checks");
          break;
        case "health_check": {
          expectArgs(option, "health_check DURATION [no_rec] [domain NAME]", 1, 4);
          let { domain, recursion } = draft.healthCheck;
          for (let at = 1; at < option.args.length; at += 1) {
            if (oneOf(option, option.args[at]!, ["no_rec", "domain"]) === "no_rec") {
              recursion = false;
              continue;
            }
            at += 1;
            const named = option.args[at];
            if (named === undefined) throw faultAt(option, "health_check: a name should follow domain");
            domain = zonesOf(named)[0]!;
          }
          draft.healthCheck = { interval: durationOf(option, first!), domain, recursion };
          break;
        }
        case "force_tcp":
          expectArgs(option, "force_tcp alone", 0);
          draft.forceTcp = true;
          break;
        case "prefer_udp":
          expectArgs(option, "prefer_udp alone", 0);
          draft.preferUdp = true;
          break;
        case "tls":
          if (option.args.length > 0) {
            throw faultAt(
              option,
              "tls: certificates and authorities of one's own are not taken; the machine's authorities are trusted: write tls alone",
            );
          }
          break;
        case "tls_servername":
          expectArgs(option, "tls_servername NAME", 1);
          serverName = first!;
          break;
        case "expire":
          expectArgs(option, "expire DURATION", 1);
          draft.expire = durationOf(option, first!);
          break;
        case "policy":
          expectArgs(option, "policy random, policy round_robin or policy sequential", 1);
          draft.policy = oneOf(option, first!, ["random", "round_robin", "sequential"]);
          break;
        case "max_concurrent":
          expectArgs(option, "max_concurrent NUMBER", 1);
          draft.maxConcurrent = numberOf(option, first!, 0, Number.MAX_SAFE_INTEGER, "a number of queries");
          break;
        case "failover":
          expectArgs(option, "failover CODE…, such as failover SERVFAIL", 1, Number.MAX_SAFE_INTEGER);
          draft.failover = option.args.map((word) => {
            const code = word.text.toUpperCase();
            if (Object.hasOwn(CODES, code)) return CODES[code]!;
            throw faultAt(word, `failover: ${quoted(word.text)} is not one of ${Object.keys(CODES).join(", ")}`);
          });
          break;
        case "failfast_all_unhealthy_upstreams":
          expectArgs(option, "failfast_all_unhealthy_upstreams alone", 0);
          draft.failFast = true;
          break;
        case "max_connect_attempts":
        case "max_idle_conns":
          expectArgs(option, `${option.name} NUMBER`, 1);
          numberOf(option, first!, 0, Number.MAX_SAFE_INTEGER, "a number");
          warn(option, `${option.name} does nothing: tries and connections are bounded by themselves`);
          break;
        case "max_age":
        case "read_timeout":
          expectArgs(option, `${option.name} DURATION`, 1);
          durationOf(option, first!);
          warn(option, `${option.name} does nothing: how long is waited follows from how long a client waits`);
          break;
        case "next":
        case "next_on_nodata":
        case "resolver":
        case "source_address":
        case "doh_method":
          throw faultAt(option, `forward: ${option.name} is not known here; there are ${OPTIONS.join(", ")}`);
        default:
          throw unknownOption("forward", option, OPTIONS);
      }
    }
    if (serverName !== undefined) {
      const { text } = serverName;
      if (resolvers.some(({ tls }) => tls?.serverName !== undefined)) {
        throw faultAt(
          serverName,
          "tls_servername: a resolver of this line names its own behind %; leave one of them out",
        );
      }
      draft.to = resolvers.map((one) => (one.tls === undefined ? one : { ...one, tls: { serverName: text } }));
    }
    block.forward = [...block.forward, draft];
  },
};
