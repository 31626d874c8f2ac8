import type { PodContext } from "../pods/context.ts";
import { tryTraffic } from "./try-traffic.ts";
import { watchTraffic } from "./watch-traffic.ts";

/** Tells when somebody drops what this node's pods send; see `watchTraffic`. */
export const watchPodTraffic = (
  context: PodContext,
  onDropped: (sentences: readonly string[]) => void,
  signal: AbortSignal,
): Promise<void> => {
  const { clock, log, events, nodeName } = context;
  return watchTraffic({
    clock,
    log,
    events,
    nodeName,
    attempt: (ended) => tryTraffic(context, ended),
    onDropped,
    signal,
  });
};
