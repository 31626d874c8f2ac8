import { secrets } from "../../api/resources.ts";
import type { Context } from "../context.ts";
import { MASTERS, type Identity } from "../identity/identity.ts";
import { changeObject } from "../verbs/change-object.ts";
import { itemAt, type At } from "../write.ts";

/** The label by which people see whether anybody still uses the token of a Secret: a day, `2026-01-02`. */
const LAST_USED = "kubernetes.io/legacy-token-last-used";
const DAY_MS = 86_400_000;
const SERVER: Identity = { user: "system:apiserver", groups: [MASTERS] };

const dayOf = (nowMs: number): string => new Date(nowMs).toISOString().slice(0, 10);

/** Marks Secrets whose token has been used, each once a day, beside the request that used it: that one does not wait, and does not fail with it. */
export function lastUsedMarker(context: () => Context): (at: At) => void {
  /** Secrets being marked: the first requests of a day come all at once. */
  const underWay = new Set<string>();
  return (at) => {
    const { kinds, clock, log } = context();
    const kind = kinds.find(secrets.group, secrets.version, secrets.plural);
    const item = kind && itemAt(context(), kind, at);
    const nowMs = clock.now();
    const marked = item?.object.metadata.labels?.[LAST_USED];
    // Another server's clock may be a day ahead of ours.
    if (kind === undefined || item === undefined || marked === dayOf(nowMs) || marked === dayOf(nowMs + DAY_MS)) return;
    if (underWay.has(item.key)) return;
    underWay.add(item.key);
    const { uid } = item.object.metadata;
    const options = { identity: SERVER, dryRun: false, warn: () => {}, by: "server" as const };
    changeObject(context(), kind, at, options, ({ object }) => {
      if (object.metadata.uid !== uid) return object;
      const { resourceVersion: _, ...metadata } = object.metadata;
      return { ...object, metadata: { ...metadata, labels: { ...metadata.labels, [LAST_USED]: dayOf(nowMs) } } };
    })
      .catch((error: unknown) => log.warn({ ...at, error: String(error) }, "a used token's Secret could not be marked"))
      .finally(() => underWay.delete(item.key));
  };
}
