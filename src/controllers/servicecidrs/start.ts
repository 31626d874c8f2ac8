import type { IPAddress, ServiceCIDR } from "../../api/generated/types.ts";
import { ipAddresses, serviceCIDRs } from "../../api/resources.ts";
import { isApiError } from "../../api/status.ts";
import type { Cache, CacheChange } from "../../client/cached.ts";
import { createEventRecorder } from "../../client/events.ts";
import { createWorkQueue } from "../../client/work-queue.ts";
import { cidrContains } from "../../net/cidr.ts";
import { timestamp } from "../../observe/clock.ts";
import type { Part } from "../../observe/part.ts";
import type { ControllerEnvironment } from "../environment.ts";
import { decideServiceCIDR, isAllocated, isBeingDeleted, rangesOf, type Readiness } from "./decide.ts";

const NAME = "service-cidr-controller";

/** Says of each ServiceCIDR whether it serves, and keeps one that is deleted until no address needs it. */
export async function startServiceCIDRs(environment: ControllerEnvironment): Promise<Part> {
  const { client, caches, clock, random } = environment;
  const log = environment.log.child({ controller: "servicecidrs" });
  const recorder = createEventRecorder({ client, component: NAME, clock, log });
  const ranges = caches.of(serviceCIDRs) as Cache<ServiceCIDR>;
  const addresses = caches.of(ipAddresses) as Cache<IPAddress>;
  await Promise.all([ranges.synced(), addresses.synced()]);
  /** Names of those that are being deleted: they alone care for what happens to others and to addresses. */
  const ending = new Set<string>();

  const setFinalizers = (object: ServiceCIDR, finalizers: readonly string[], signal: AbortSignal) => {
    const { name = "", resourceVersion } = object.metadata;
    const patch = { metadata: { resourceVersion, finalizers } };
    return client.patch<ServiceCIDR>(serviceCIDRs, { name }, "merge", patch, undefined, signal);
  };
  const setReady = async (object: ServiceCIDR, ready: Readiness, signal: AbortSignal): Promise<void> => {
    const { name = "", resourceVersion } = object.metadata;
    const before = object.status?.conditions ?? [];
    const was = before.find(({ type }) => type === "Ready");
    const lastTransitionTime = was?.status === ready.status ? was.lastTransitionTime : timestamp(clock.now());
    const conditions = [
      ...before.filter(({ type }) => type !== "Ready"),
      { type: "Ready", ...ready, lastTransitionTime },
    ];
    const patch = { metadata: { resourceVersion }, status: { conditions } };
    await client.patch(serviceCIDRs, { name }, "merge", patch, { subresource: "status" }, signal);
  };

  const act = async (object: ServiceCIDR, signal: AbortSignal): Promise<void> => {
    const decision = decideServiceCIDR(object, [...ranges.values()], addresses.values(), clock.now());
    switch (decision.action) {
      case "none":
        return;
      case "serve": {
        const { finalizers, ready } = decision;
        const current = finalizers === undefined ? object : await setFinalizers(object, finalizers, signal);
        if (ready === undefined) return;
        try {
          await setReady(current, ready, signal);
        } catch (error) {
          if (!isApiError(error, "Conflict", "NotFound")) {
            const message = "The ServiceCIDR Status can not be set to Ready=True";
            recorder.event(object, "Warning", "KubernetesServiceCIDRError", message);
          }
          throw error;
        }
        return;
      }
      case "block":
        if (decision.ready !== undefined) await setReady(object, decision.ready, signal);
        return;
      case "release":
        if (decision.inMs > 0) queue.addAfter(object.metadata.name ?? "", decision.inMs);
        else await setFinalizers(object, decision.finalizers, signal);
    }
  };
  const work = async (name: string, signal: AbortSignal): Promise<void> => {
    const object = ranges.get(name);
    if (object === undefined) return;
    try {
      await act(object, signal);
    } catch (error) {
      if (!isApiError(error, "NotFound")) throw error;
    }
  };
  const queue = createWorkQueue({ concurrency: 4, clock, random, log, work });

  const note = (object: ServiceCIDR): void => {
    const { name = "" } = object.metadata;
    if (isBeingDeleted(object)) ending.add(name);
    queue.add(name);
  };
  const hearRange = (change: CacheChange<ServiceCIDR>): void => {
    if (change.type === "removed") ending.delete(change.previous.metadata.name ?? "");
    else note(change.object);
    // Another range may hold their addresses from now on, or no longer.
    for (const name of ending) queue.add(name);
  };
  const hearAddress = (change: CacheChange<IPAddress>): void => {
    if (ending.size === 0) return;
    const address = change.type === "removed" ? change.previous : change.object;
    if (!isAllocated(address) && change.type !== "changed") return;
    const ip = address.metadata.name ?? "";
    for (const name of ending) {
      const object = ranges.get(name);
      if (object !== undefined && rangesOf(object).some((range) => cidrContains(range, ip))) queue.add(name);
    }
  };
  for (const object of ranges.values()) note(object);
  const stops = [ranges.onChange(hearRange), addresses.onChange(hearAddress)];
  return {
    async stop() {
      for (const stop of stops) stop();
      await queue.stop();
      await recorder.flush();
      recorder.stop();
    },
  };
}
