import type { PodContext } from "../pods/context.ts";
import { nodeObject } from "../pods/node-object.ts";
import { pause } from "../pods/pause.ts";
import { droppedInWords, keyOfTrial, type Trial } from "./dropped.ts";

/** Milliseconds after the site is ready: the first pods come first. */
const SETTLED = 2_000;
/** Milliseconds between tries while something is dropped, so that whoever mends it sees that it is mended. */
const AGAIN = 15_000;

export interface WatchOptions extends Pick<PodContext, "clock" | "log" | "events" | "nodeName"> {
  /** Tries each way once. */
  readonly attempt: (signal: AbortSignal) => Promise<readonly Trial[]>;
  /** Hears the sentences when something is dropped, and none once it is not any more. */
  readonly onDropped: (sentences: readonly string[]) => void;
  readonly signal: AbortSignal;
}

/** Tries once whether pods' traffic passes, and again only while it does not. Never throws; resolves when there is no more to try. */
export async function watchTraffic(options: WatchOptions): Promise<void> {
  const { clock, log, events, signal, attempt, onDropped } = options;
  const node = nodeObject(options.nodeName);
  let told = "";
  for (let wait = SETTLED; ; wait = AGAIN) {
    await pause(clock, wait, signal);
    if (signal.aborted) return;
    const began = clock.now();
    let trials: readonly Trial[];
    try {
      trials = await attempt(signal);
    } catch (error) {
      log.warn({ error }, "trying whether a firewall drops what pods send failed; whether one does is not known");
      return;
    }
    if (signal.aborted) return;
    const news = trials.filter(({ fate }) => fate !== "answered").map(keyOfTrial);
    const key = news.sort().join();
    const sentences = droppedInWords(trials);
    if (key !== told) {
      for (const sentence of sentences) {
        log.warn({}, sentence);
        events.event(node, "Warning", "TrafficDropped", sentence);
      }
      if (key === "") {
        const passes = "pods reach each other and the Service default/kubernetes now: nobody drops it any more";
        log.info({}, passes);
        events.event(node, "Normal", "TrafficPasses", passes);
      }
      onDropped(sentences);
    }
    told = key;
    if (key === "") {
      log.debug({ milliseconds: clock.now() - began }, "what pods send passes");
      return;
    }
  }
}
