import type { ConntrackUsage } from "../../host/conntrack/conntrack.ts";
import type { Clock } from "../../observe/clock.ts";
import type { Log } from "../../observe/log.ts";

/** Milliseconds between two looks. */
const EVERY = 10_000;
/** Shares of the table. A warning is taken back only well below, so that it is not said again and again. */
const NEARLY = 0.9;
const EASED = 0.8;

type Room = "enough" | "little" | "none";

/** How much room there is, given what was said last. */
function roomIn({ entries, limit }: ConntrackUsage, last: Room): Room {
  if (limit === 0) return "enough";
  if (entries >= limit) return "none";
  const share = entries / limit;
  if (share > NEARLY) return last === "none" && share > 0.97 ? "none" : "little";
  return last !== "enough" && share > EASED ? "little" : "enough";
}

/** Says on the Node when the kernel's table of connections is nearly full: then new connections fail, whoever makes them. */
export function watchRoom(options: {
  readonly usage: () => ConntrackUsage;
  readonly clock: Clock;
  readonly log: Log;
  readonly tell: (type: "Normal" | "Warning", reason: string, message: string) => void;
}): { stop(): void } {
  const { usage, clock, log, tell } = options;
  let room: Room = "enough";
  let cancel: () => void;
  const look = (): void => {
    try {
      const used = usage();
      const now = roomIn(used, room);
      if (now !== room) say(now, used);
      room = now;
    } catch (error) {
      log.debug({ complaint: (error as Error).message }, "how full connection tracking is could not be read");
    }
    cancel = clock.after(EVERY, look);
  };
  const say = (now: Room, { entries, limit }: ConntrackUsage): void => {
    const is = `connection tracking holds ${entries} of ${limit} connections`;
    const remedy = "raise net.netfilter.nf_conntrack_max, or find who opens so many";
    if (now === "none") tell("Warning", "ConntrackFull", `${is}: new connections fail; ${remedy}`);
    else if (now === "little")
      tell("Warning", "ConntrackNearlyFull", `${is}; when it is full new ones fail: ${remedy}`);
    else tell("Normal", "ConntrackHasRoom", `${is} again`);
  };
  cancel = clock.after(EVERY, look);
  return { stop: () => cancel() };
}
