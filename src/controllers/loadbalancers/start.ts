import type { Service, ServiceStatus } from "../../api/generated/types.ts";
import { keyOf } from "../../api/object.ts";
import { services as serviceResource } from "../../api/resources.ts";
import { isApiError } from "../../api/status.ts";
import { createEventRecorder } from "../../client/events.ts";
import { createWorkQueue } from "../../client/work-queue.ts";
import { timestamp } from "../../observe/clock.ts";
import type { Part } from "../../observe/part.ts";
import type { ControllerEnvironment } from "../environment.ts";
import { decideAddresses } from "./decide.ts";
import { addressesOf, createHoldings } from "./holdings.ts";
import { poolOf, type LoadBalancerPool } from "./pool.ts";
import { statusFor, statusWithout } from "./status.ts";

/** Holds a Service back until its address is free for others again (SVC-352, KEP-980). */
export const FINALIZER = "service.kubernetes.io/load-balancer-cleanup";

const isBalancer = ({ spec }: Service): boolean => spec?.type === "LoadBalancer";
const isGoing = ({ metadata }: Service): boolean => metadata.deletionTimestamp !== undefined;
const isHeld = ({ metadata }: Service): boolean => metadata.finalizers?.includes(FINALIZER) === true;

/** Gives Services of type LoadBalancer their addresses, and takes them back. Nodes answer at them as soon as the status says so. */
export async function startLoadBalancers(
  environment: ControllerEnvironment,
  pools: readonly LoadBalancerPool[],
): Promise<Part> {
  const { client, caches, clock, random } = environment;
  const log = environment.log.child({ controller: "loadbalancers" });
  const { services } = caches;
  await services.synced();
  const events = createEventRecorder({ client, component: "service-controller", clock, log });
  const holdings = createHoldings();
  /** Services without an address, that one given back may be for. */
  const pending = new Set<string>();

  /** A Service whose class is another's is another's whole (SVC-351). Without a pool of ours, one without class is told so. */
  const isOurs = (service: Service): boolean =>
    poolOf(pools, service) !== undefined || (service.spec?.loadBalancerClass ?? "") === "";
  const isWanted = (service: Service): boolean => isBalancer(service) && isOurs(service) && !isGoing(service);

  /** Writes with the version it was decided from: a Service that changed meanwhile is decided anew. */
  const write = async (service: Service, patch: object, status: boolean, signal: AbortSignal): Promise<Service> => {
    const at = { namespace: service.metadata.namespace, name: service.metadata.name ?? "" };
    const { metadata = {}, ...rest } = patch as { metadata?: object };
    const body = { metadata: { ...metadata, resourceVersion: service.metadata.resourceVersion }, ...rest };
    const options = status ? { subresource: "status" as const } : undefined;
    return client.patch<Service>(serviceResource, at, "merge", body, options, signal);
  };
  const writeStatus = (service: Service, status: ServiceStatus, signal: AbortSignal): Promise<Service> =>
    // In a merge patch only null takes a field away.
    write(service, { status: { ...status, loadBalancer: { ingress: null, ...status.loadBalancer } } }, true, signal);

  const ensure = async (service: Service, signal: AbortSignal): Promise<void> => {
    const had = addressesOf(service);
    const assignment = decideAddresses(service, poolOf(pools, service), holdings);
    const status = statusFor(service, assignment, timestamp(clock.now()));
    if (status === undefined) return;
    if ("pending" in assignment) {
      const message = `Error syncing load balancer: ${assignment.pending.message}`;
      events.event(service, "Warning", "SyncLoadBalancerFailed", message);
      pending.add(keyOf(service));
    } else {
      pending.delete(keyOf(service));
      if (had.length === 0) events.event(service, "Normal", "EnsuringLoadBalancer", "Ensuring load balancer");
    }
    const finalizers = [...(service.metadata.finalizers ?? []), FINALIZER];
    const held = isHeld(service) ? service : await write(service, { metadata: { finalizers } }, false, signal);
    const written = await writeStatus(held, status, signal);
    holdings.set(written);
    if ("pending" in assignment) {
      if (had.length > 0) freed();
      return;
    }
    const where = assignment.addresses.join(", ");
    if (had.length === 0) events.event(written, "Normal", "EnsuredLoadBalancer", `Ensured load balancer at ${where}`);
    else events.event(written, "Normal", "UpdatedLoadBalancer", `Updated load balancer, which is at ${where} now`);
  };

  const release = async (service: Service, signal: AbortSignal): Promise<void> => {
    pending.delete(keyOf(service));
    const status = statusWithout(service);
    if (!isHeld(service) && status === undefined) return;
    events.event(service, "Normal", "DeletingLoadBalancer", "Deleting load balancer");
    try {
      const cleared = status === undefined ? service : await writeStatus(service, status, signal);
      holdings.delete(keyOf(service));
      if (isHeld(cleared)) {
        const finalizers = (cleared.metadata.finalizers ?? []).filter((name) => name !== FINALIZER);
        await write(cleared, { metadata: { finalizers } }, false, signal);
      }
    } catch (error) {
      if (isApiError(error, "NotFound")) return;
      const why = error instanceof Error ? error.message : String(error);
      if (!isApiError(error, "Conflict")) {
        events.event(service, "Warning", "DeleteLoadBalancerFailed", `Error deleting load balancer: ${why}`);
      }
      throw error;
    }
    events.event(service, "Normal", "DeletedLoadBalancer", "Deleted load balancer");
    freed();
  };

  const work = async (key: string, signal: AbortSignal): Promise<void> => {
    const service = services.get(key);
    if (service === undefined) return;
    if (isWanted(service)) return ensure(service, signal);
    if (isOurs(service) || isHeld(service)) return release(service, signal);
  };
  // One at a time: two Services that want an address are decided one after the other.
  const queue = createWorkQueue({ concurrency: 1, clock, random, log, work });
  const freed = (): void => {
    for (const key of pending) queue.add(key);
  };

  const concerns = (service: Service): boolean => isWanted(service) || isHeld(service);
  const known = [...services.values()];
  // What is told in a status is held before anything new is given.
  for (const service of known) if (isWanted(service)) holdings.set(service);
  const byAge = (one: Service, other: Service): number =>
    (one.metadata.creationTimestamp ?? "") < (other.metadata.creationTimestamp ?? "") ? -1 : 1;
  for (const service of known.sort(byAge)) if (concerns(service)) queue.add(keyOf(service));
  const stop = services.onChange((change) => {
    if (change.type === "removed") {
      const key = keyOf(change.previous);
      const neighbours = holdings.neighbours(key);
      holdings.delete(key);
      pending.delete(key);
      if (isBalancer(change.previous)) freed();
      for (const neighbour of neighbours) queue.add(neighbour);
      return;
    }
    const key = keyOf(change.object);
    const was = change.type === "changed" && concerns(change.previous);
    if (!concerns(change.object) && !was) return;
    if (isWanted(change.object)) holdings.set(change.object);
    queue.add(key);
    // Ports or the sharing word may be others now.
    for (const neighbour of holdings.neighbours(key)) queue.add(neighbour);
  });
  return {
    async stop() {
      stop();
      await queue.stop();
      events.stop();
    },
  };
}
