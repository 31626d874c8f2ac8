import { randomUUID } from "node:crypto";
import type { ServiceCIDR } from "../../api/generated/types.ts";
import { parseCidr } from "../../net/cidr.ts";
import { timestamp } from "../../observe/clock.ts";
import { Draft, fromCache, fromStore } from "../bootstrap/draft.ts";
import { serviceCIDRObject, type Advertised } from "../bootstrap/objects.ts";
import { kubernetesAddress } from "../bootstrap/ranges.ts";
import {
  draftEndpoints,
  draftNamespaces,
  draftService,
  draftServiceCIDR,
  type DraftedServiceCIDR,
} from "../bootstrap/well-known.ts";
import type { ClaimReader } from "../claims/reader.ts";
import type { Context } from "../context.ts";
import { MAXIMUM_ATTEMPTS, store } from "../write.ts";
import type { Recorder } from "./recorder.ts";

export interface WellKnownOptions {
  /** `--service-cluster-ip-range`: the primary range first. */
  readonly serviceRanges: readonly string[];
  readonly advertise: Advertised;
  readonly reader: ClaimReader;
}

/** Keeps what every cluster has: what is missing is made again. */
export interface WellKnown {
  namespaces(): Promise<void>;
  serviceCIDR(): Promise<void>;
  service(): Promise<void>;
  /** `corrects`: ports too, as upstream does on its way out. */
  endpoints(ips: readonly string[], corrects: boolean): Promise<void>;
}

const ERROR = "KubernetesDefaultServiceCIDRError";
const INCONSISTENT = "KubernetesDefaultServiceCIDRInconsistent";
const listed = (cidrs: readonly string[]): string => `[${cidrs.join(" ")}]`;

export function wellKnown(context: Context, options: WellKnownOptions, recorder: Recorder): WellKnown {
  const { serviceRanges, advertise, reader } = options;
  const { cache, claims } = context;
  const clusterIP = kubernetesAddress(parseCidr(serviceRanges[0]!));
  /** Each of these is told once: it stays as it is until somebody does something about it. */
  let hasToldInconsistent = false;
  let hasToldNotReady = false;

  /** Drafts from memory, which costs nothing when all is well, and from the store when that was old. */
  const write = async <T>(make: (draft: Draft, now: string) => Promise<T>): Promise<T> => {
    for (let attempt = 0; ; attempt++) {
      const now = timestamp(context.clock.now());
      const draft = new Draft(attempt === 0 ? fromCache(cache) : fromStore(context.store), now, randomUUID);
      const made = await make(draft, now);
      if (draft.operations.length === 0) return made;
      const result = await store(context, draft.conditions, draft.operations);
      if (result.ok) {
        const keys = draft.operations.map(({ key }) => key);
        context.log.info({ keys, revision: result.revision }, "put right what every cluster has");
        return made;
      }
      if (attempt === MAXIMUM_ATTEMPTS)
        throw new Error(`writing ${result.failedKey}: other writers came first too often`);
    }
  };

  const warn = (about: ServiceCIDR, reason: string, message: string): void =>
    recorder.warn({ about, reason, action: "ServiceCIDRReconciliation", message });

  const told = ({ found, comparison }: DraftedServiceCIDR): void => {
    if (found === undefined || found.metadata.deletionTimestamp !== undefined) return;
    const ready = found.status?.conditions?.find(({ type }) => type === "Ready");
    if (comparison === "inconsistent" && !hasToldInconsistent) {
      hasToldInconsistent = true;
      const message = `The default ServiceCIDR ${listed(found.spec?.cidrs ?? [])} does not match the controller flag configurations ${listed(serviceRanges)}`;
      warn(found, INCONSISTENT, message);
    }
    // Somebody said so, who may know better; it is told, and left alone (SVC-272).
    if (comparison === "same" && ready?.status === "False" && !hasToldNotReady) {
      hasToldNotReady = true;
      warn(found, ready.reason || "NotReady", `Configuration matches, but ${ready.message}`);
    }
  };

  return {
    namespaces: () => write(draftNamespaces),
    async serviceCIDR() {
      let drafted: DraftedServiceCIDR | undefined;
      try {
        told(await write(async (draft, now) => (drafted = await draftServiceCIDR(draft, serviceRanges, now))));
      } catch (error) {
        const about = drafted?.found ?? serviceCIDRObject(serviceRanges);
        const what = drafted?.found === undefined ? "created" : `upgraded to ${listed(serviceRanges)}`;
        warn(about, ERROR, `The default ServiceCIDR can not be ${what}: ${(error as Error).message}`);
        throw error;
      }
    },
    service: () => write((draft) => draftService(draft, { reader, claims, advertise, clusterIP, corrects: false })),
    endpoints: (ips, corrects) => write((draft) => draftEndpoints(draft, ips, advertise.port, corrects)),
  };
}
