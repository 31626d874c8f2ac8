import { tokensOf } from "../../../src/ingress/affinity/token.ts";
import { annotationsOf } from "../../../src/ingress/annotations/read.ts";
import type { IngressPlan } from "../../../src/ingress/plan/plan.ts";
import { createPlanner, type Planner } from "../../../src/ingress/plan/planner.ts";
import type { IngressFault } from "../../../src/ingress/plan/view.ts";
import type { Pair } from "./certificates.ts";
import { CONTROLLER, type Cluster } from "./cluster.ts";

/** What the controller does between its caches and its engine. */
export interface LabPlanner {
  /** What a cluster says now; only what changed is worked out anew. */
  plan(cluster: Cluster): IngressPlan;
  /** Of the last plan, by Ingress. */
  readonly faults: ReadonlyMap<string, readonly IngressFault[]>;
  /** Whether Ingresses without a class are taken, from the next plan on. */
  takeWithoutClass(take: boolean): void;
}

const KEY = Buffer.alloc(32, "the key of this suite's cookies");

/** `fallback` is shown where no certificate is given. */
export function createLabPlanner(fallback: Pair): LabPlanner {
  const make = (withoutClass: boolean): Planner =>
    createPlanner({
      annotations: annotationsOf,
      tokensOf: tokensOf([KEY]),
      controller: CONTROLLER,
      withoutClass,
      defaultBackend: undefined,
      defaultCertificate: undefined,
      spareCertificate: { secret: "", chain: fallback.certificate, key: fallback.key },
    });
  let planner = make(false);
  let isNew = true;
  let faults: LabPlanner["faults"] = new Map();
  return {
    plan(cluster) {
      const words = cluster.changes();
      const planned = planner.plan(cluster.view, isNew ? "everything" : words);
      isNew = false;
      faults = planned.faults;
      return planned.plan;
    },
    get faults() {
      return faults;
    },
    takeWithoutClass(take) {
      planner = make(take);
      isNew = true;
    },
  };
}
