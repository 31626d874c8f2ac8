import type { Job, JobStatus, Pod } from "../../api/generated/types.ts";
import { jobs as jobResource } from "../../api/resources.ts";
import { isApiError } from "../../api/status.ts";
import type { Part } from "../../observe/part.ts";
import type { ControllerEnvironment } from "../environment.ts";
import { startOwners, type Turn } from "../owned/owners.ts";
import { atOnce, slowStart } from "../owned/slow-start.ts";
import { NO_FAILURES, type Failures } from "./backoff.ts";
import { decideJob, type JobDecision } from "./decide.ts";
import { expire, expiresIn } from "./expiry.ts";
import { isTracked, terminalOf } from "./finished.ts";
import { startOrphans } from "./orphans.ts";
import { indexOf } from "./pod.ts";
import { releasePod } from "./release.ts";

/** Who counts for a Job that names nobody (`spec.managedBy`). */
const OURS = "kubernetes.io/job-controller";

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The namespace is on its way out, and every creation in it will be refused. */
const isNamespaceGoing = (error: unknown): boolean =>
  isApiError(error) && error.details?.causes?.some(({ reason }) => reason === "NamespaceTerminating") === true;

/** Runs the pods of every Job until enough of them have succeeded, or too many failed. */
export async function startJobs(environment: ControllerEnvironment): Promise<Part> {
  const { client, caches, clock } = environment;
  const failures = new Map<string, Failures>();
  type JobTurn = Turn<JobStatus, Job>;

  const release = async ({ pods, signal }: JobTurn, pod: Pod): Promise<void> => {
    const released = isTracked(pod) ? await releasePod(client, pod, signal) : undefined;
    if (released !== undefined) pods.wrote(released);
  };

  /** Makes and removes pods; answers the first failure. */
  const apply = async (turn: JobTurn, { create, discard, end }: JobDecision): Promise<unknown> => {
    const { object: job, pods, events, signal } = turn;
    const remove = async (pod: Pod): Promise<void> => {
      await pods.delete(pod, signal);
      events.event(job, "Normal", "SuccessfulDelete", `Deleted pod: ${pod.metadata.name ?? ""}`);
    };
    const removed = await atOnce([...discard, ...end], async (pod) => {
      if (discard.includes(pod)) await release(turn, pod);
      await remove(pod);
    });
    const created = await slowStart(create, async (pod) => {
      try {
        const made = await pods.create(job, pod, signal, String(indexOf(pod) ?? ""));
        events.event(job, "Normal", "SuccessfulCreate", `Created pod: ${made.metadata.name ?? ""}`);
      } catch (error) {
        if (!signal.aborted && !isNamespaceGoing(error)) {
          events.event(job, "Warning", "FailedCreate", `Error creating: ${messageOf(error)}`);
        }
        throw error;
      }
    });
    return removed.error ?? (isNamespaceGoing(created.error) ? undefined : created.error);
  };

  /** What is left to do for a Job that is over. */
  const settle = async (turn: JobTurn): Promise<void> => {
    const { object: job, owned, signal } = turn;
    failures.delete(job.metadata.uid ?? "");
    await Promise.all(owned().map((pod) => release(turn, pod)));
    const left = expiresIn(job, clock.now());
    if (left === undefined) return;
    const later = left > 0 ? left : await expire(client, job, clock.now(), signal);
    if (later !== undefined) turn.again(later);
  };

  const work = async (turn: JobTurn): Promise<void> => {
    const { object: job, events, owned, signal } = turn;
    const { uid = "" } = job.metadata;
    const { managedBy, completionMode = "NonIndexed", selector } = job.spec ?? {};
    if ((managedBy ?? OURS) !== OURS || selector === undefined) return;
    if (terminalOf(job) !== undefined) return settle(turn);
    if (completionMode !== "NonIndexed" && completionMode !== "Indexed") {
      const why = "Skipped Job sync because completion mode is unknown";
      return events.event(job, "Warning", "UnknownCompletionMode", why);
    }
    const decide = (): JobDecision =>
      decideJob({ job: turn.current(), pods: owned(), failures: failures.get(uid) ?? NO_FAILURES, now: clock.now() });
    const decision = decide();
    const error = await apply(turn, decision);
    signal.throwIfAborted();
    const after = decide();
    const isNew = await turn.store(after.status);
    for (const { type, reason, message } of isNew ? after.told : []) events.event(job, type, reason, message);
    // What has ended is in the status now; until then it would count anew with each turn.
    if (isNew || after.release.length > 0) failures.set(uid, after.failures);
    const released = await atOnce(after.release, (pod) => release(turn, pod));
    if (error !== undefined || released.error !== undefined) throw error ?? released.error;
    const { create, discard, end } = decision;
    if (isNew || [create, discard, end, after.release].some((pods) => pods.length > 0)) turn.again(0);
    if (after.again !== undefined) turn.again(after.again);
  };
  const owners = await startOwners<JobStatus, Job>(environment, {
    resource: jobResource,
    cache: caches.jobs,
    component: "job-controller",
    selectorOf: (job) => job.spec?.selector,
    work,
    gone: ({ metadata }) => void failures.delete(metadata.uid ?? ""),
  });
  const orphans = startOrphans(environment);
  return {
    async stop() {
      await Promise.all([owners.stop(), orphans.stop()]);
    },
  };
}
