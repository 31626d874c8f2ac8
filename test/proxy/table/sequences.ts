import { equal } from "node:assert/strict";
import * as fc from "fast-check";
import type { EndpointSlice, Service } from "../../../src/api/generated/types.ts";
import type { Host } from "../../../src/host/host.ts";
import type { NodePlan } from "../../../src/proxy/plan/plan.ts";
import { times } from "../../lab/counts.ts";
import { Carried } from "../lab/carried.ts";
import { openNodes } from "../lab/nodes.ts";
import { nodePlan } from "../lab/objects.ts";
import { changes, type Change } from "./changes.ts";
import { ownTest, type Table } from "./table.ts";

const signal = new AbortController().signal;

type Any = never;

/** What a proxy has been told up to now. */
class World {
  node: NodePlan = nodePlan();
  zone: string | undefined;
  readonly objects = new Map<string, readonly [Service, EndpointSlice[]]>();

  take(change: Change): void {
    if (change.what === "restart") return;
    if (change.what === "node") {
      this.node = nodePlan(change.node);
      this.zone = change.zone;
    } else if (change.what === "gone") this.objects.delete(change.objects[0].metadata.name!);
    else this.objects.set(change.objects[0].metadata.name!, change.objects);
  }

  fill(carried: Carried<Any, Any, Any>): void {
    for (const objects of this.objects.values()) carried.set(...([objects[0], objects[1]] as const));
  }
}

/**
 * After any sequence of changes and restarts the kernel holds what a fresh proxy would have written for the same objects; and a restart
 * alone changes nothing.
 */
export function sequenceTests(table: Table): void {
  const { subject } = table;
  const { snapshot, exact = snapshot } = subject;
  if (snapshot === undefined || exact === undefined) return;
  const count = Math.ceil(times(50, 500) / table.scale);
  const name = "PRX-267: after any sequence of changes and restarts the kernel holds what a fresh start writes";
  ownTest(table, name, undefined, async () => {
    const lab = await openNodes(2, { nodeIsHere: subject.nodeIsHere === true });
    const [here, there] = lab.nodes as [Host, Host];
    const open = (host: Host, world: World) => new Carried<Any, Any, Any>(subject.open(host), world.node, world.zone);

    const run = async (sequence: readonly Change[]): Promise<void> => {
      const world = new World();
      let carried = open(here, world);
      try {
        await carried.engine.cleanup(signal);
        await carried.apply();
        for (const change of sequence) {
          world.take(change);
          const restart = async (): Promise<void> => {
            await carried.engine.close();
            carried = open(here, world);
            world.fill(carried);
            await carried.apply();
          };
          if (change.what === "stopped") {
            carried.set(...change.objects);
            await carried.apply(AbortSignal.timeout(change.after)).catch(() => {});
            await restart();
            continue;
          }
          if (change.what === "restart") {
            const before = await exact(here);
            await restart();
            equal(await exact(here), before, "a restart changes nothing");
            continue;
          }
          if (change.what === "node") carried.setNode(world.node, world.zone);
          else if (change.what === "gone") carried.remove(...change.objects);
          else carried.set(...change.objects);
          await carried.apply();
        }
        const fresh = open(there, world);
        try {
          await fresh.engine.cleanup(signal);
          world.fill(fresh);
          await fresh.apply();
          equal(await snapshot(here), await snapshot(there), "as after a fresh start");
        } finally {
          await fresh.engine.close();
        }
      } finally {
        await carried.engine.close();
      }
    };
    try {
      await fc.assert(fc.asyncProperty(changes, run), {
        numRuns: count,
        includeErrorInReport: true,
        // Where few are run because each is slow, looking for a shorter one that fails too would take longer than there is.
        endOnFailure: table.scale > 1,
      });
    } finally {
      await lab.close();
    }
  });
}
