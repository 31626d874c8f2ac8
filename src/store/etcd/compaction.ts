import type { Clock } from "../../observe/clock.ts";
import type { Log } from "../../observe/log.ts";
import type { Calls, TxnRequest } from "./calls.ts";
import type { Members } from "./members.ts";

/** Whoever changes this key compacts next; its value is the revision that was compacted at. Beside the objects, not among them. */
const COMPACTION_KEY = "/fairlead/compaction";

export interface CompactionOptions {
  readonly members: Members;
  readonly calls: Calls;
  readonly clock: Clock;
  readonly log: Log;
  readonly everyMs: number;
  compacted(revision: number): void;
}

/**
 * Forgets what is older than one to two intervals, in turn with all other servers on the same etcd: at each interval each tries to change
 * one key, and the one that finds it as it last saw it compacts at the revision of an interval ago. Returned: how to end it.
 */
export function startCompaction(options: CompactionOptions): () => void {
  const { members, calls, clock, log, everyMs } = options;
  /** When the key was last changed, as far as we saw, and the newest revision then. */
  let seen = 0;
  let revision = 0;

  const take = async (): Promise<void> => {
    const mine = revision;
    const request: TxnRequest = {
      compare: [{ key: COMPACTION_KEY, target: "MOD", result: "EQUAL", mod_revision: seen }],
      success: [{ request_put: { key: COMPACTION_KEY, value: String(mine) } }],
      failure: [{ request_range: { key: COMPACTION_KEY } }],
    };
    const answer = await members.send(calls.txn, request);
    revision = answer.header?.revision ?? 0;
    if (answer.succeeded !== true) {
      seen = answer.responses?.[0]?.response_range?.kvs?.[0]?.mod_revision ?? 0;
      return;
    }
    seen = revision;
    if (mine === 0) return;
    await members.ask(calls.compact, { revision: mine });
    options.compacted(mine);
    log.debug({ revision: mine }, "compacted etcd");
  };

  let cancel = (): void => {};
  const repeat = (): void => {
    cancel = clock.after(everyMs, () => {
      take()
        // Another server may have compacted further, and what is not forgotten now will be next time.
        .catch((error: unknown) => log.debug({ error: String(error) }, "etcd was not compacted this time"))
        .finally(repeat);
    });
  };
  repeat();
  return () => cancel();
}
