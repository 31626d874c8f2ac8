import type { CacheOptions } from "../../configuration.ts";
import { usualCache } from "../../usual.ts";
import type { Line } from "../blocks.ts";
import type { Directive } from "../directive.ts";
import { faultAt, quoted } from "../fault.ts";
import { durationOf, expectArgs, expectNoBody, numberOf, oneOf, unknownOption } from "../values.ts";
import { zonesOf } from "../zones.ts";

type Draft = { -readonly [Key in keyof CacheOptions]: CacheOptions[Key] };

const OPTIONS = ["success", "denial", "prefetch", "serve_stale", "servfail", "disable", "keepttl"];
const MOST = Number.MAX_SAFE_INTEGER;
/** A failure may not be kept longer (RFC 2308 §7.1). */
const LONGEST_SERVFAIL = 300_000;

/** `success CAPACITY [TTL [MINTTL]]`, or the same of `denial`. */
function share(option: Line, was: CacheOptions["success"]): CacheOptions["success"] {
  expectArgs(option, `${option.name} CAPACITY [TTL [LEAST-TTL]]`, 1, 3);
  const [capacity, ttl, minTtl] = option.args;
  return {
    capacity: numberOf(option, capacity!, 0, MOST, "a number of answers"),
    ttl: ttl === undefined ? was.ttl : numberOf(option, ttl, 1, MOST, "a TTL"),
    minTtl: minTtl === undefined ? was.minTtl : numberOf(option, minTtl, 0, MOST, "a TTL"),
  };
}

/** `cache [TTL] [ZONE…] { … }`: answers from elsewhere are kept. */
export const cache: Directive = {
  name: "cache",
  read(line, { block, warn }) {
    const draft: Draft = { ...usualCache };
    let zones = line.args;
    const [first] = zones;
    if (first !== undefined && /^[+-]?\d+$/.test(first.text)) {
      const ttl = numberOf(line, first, 1, MOST, "a TTL");
      draft.success = { ...draft.success, ttl };
      draft.denial = { ...draft.denial, ttl };
      zones = zones.slice(1);
    }
    if (zones.length > 0) draft.zones = zones.flatMap(zonesOf);
    for (const option of line.body) {
      expectNoBody(option);
      const [one, two, three] = option.args;
      switch (option.name) {
        case "success":
        case "denial":
          draft[option.name] = share(option, draft[option.name]);
          break;
        case "prefetch": {
          expectArgs(option, "prefetch AMOUNT [DURATION [PERCENTAGE%]]", 1, 3);
          const percentage = /^(\d+)%$/.exec(three?.text ?? "10%")?.[1];
          if (percentage === undefined || Number(percentage) < 10 || Number(percentage) > 90) {
            throw faultAt(three!, `prefetch: ${quoted(three!.text)} is not a percentage from 10% to 90%`);
          }
          const amount = numberOf(option, one!, 0, MOST, "a number of queries");
          const duration = two === undefined ? 60_000 : durationOf(option, two);
          if (amount > 0) draft.prefetch = { amount, duration, percentage: Number(percentage) };
          break;
        }
        case "serve_stale": {
          expectArgs(option, "serve_stale [DURATION [immediate|verify]]", 0, 5);
          const duration = one === undefined ? 3_600_000 : durationOf(option, one);
          const mode = two === undefined ? "immediate" : oneOf(option, two, ["immediate", "verify"]);
          for (const more of option.args.slice(2)) durationOf(option, more);
          if (three !== undefined) {
            warn(
              option,
              `serve_stale: what follows ${two!.text} does nothing: time limits and TTLs of old answers are set already`,
            );
          }
          draft.serveStale = { duration, verify: mode === "verify" };
          break;
        }
        case "serve_stale_policy":
          expectArgs(option, "serve_stale_policy prefer_positive", 1);
          oneOf(option, one!, ["prefer_positive"]);
          warn(option, "serve_stale_policy does nothing: old answers are given only where no new one can be had");
          break;
        case "servfail":
          expectArgs(option, "servfail DURATION", 1);
          draft.servfail = durationOf(option, one!, 0, LONGEST_SERVFAIL) / 1000;
          break;
        case "disable": {
          expectArgs(option, "disable success or disable denial, and zones", 1, MOST);
          const what = oneOf(option, one!, ["success", "denial"]);
          const those = option.args.length === 1 ? [""] : option.args.slice(1).flatMap(zonesOf);
          draft.disable = { ...draft.disable, [what]: those };
          break;
        }
        case "keepttl":
          expectArgs(option, "keepttl alone", 0);
          draft.keepTtl = true;
          break;
        default:
          throw unknownOption("cache", option, OPTIONS);
      }
    }
    const policy = line.body.find(({ name }) => name === "serve_stale_policy");
    if (policy !== undefined && draft.serveStale === undefined) {
      throw faultAt(policy, "serve_stale_policy: there is no serve_stale beside it");
    }
    block.cache = draft;
  },
};
