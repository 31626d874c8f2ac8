import type { EndpointSlice, Node, Pod, Service } from "../../api/generated/types.ts";
import type { IPFamily } from "../../net/ip.ts";
import { familiesOf, selectorOf } from "../pods/addresses.ts";
import { sameLabels } from "../pods/labels.ts";
import { generateNameOf, isOurs, isOwnedBy, labelsOf, ownerOf, withTriggerTime } from "./metadata.ts";
import type { PlannedSlice } from "./plan.ts";
import { planFamily } from "./plan.ts";
import { saysOtherShares, sharesOf, sharesText, withShares } from "./shares.ts";
import { hintByShare } from "./topology/hint.ts";
import { isAuto } from "./topology/mode.ts";
import type { HintEvent, Told } from "./topology/told.ts";
import { tellHints } from "./topology/told.ts";
import type { ZoneShares } from "./topology/zones.ts";
import { wantedOf } from "./wanted.ts";

export interface SliceInput {
  readonly service: Service;
  /** The pods that the Service selects. */
  readonly pods: readonly Pod[];
  readonly node: (name: string) => Node | undefined;
  /** The slices with this Service's name label, whoever made them. */
  readonly existing: readonly EndpointSlice[];
  /** CTL-043: RFC 3339, when what brought this about happened; undefined when nothing new did. */
  readonly triggerTime?: string | undefined;
  /** CTL-036: `--max-endpoints-per-slice`. */
  readonly most: number;
  /** CTL-071: asked for by Services whose hints are made of it alone. */
  readonly shares: () => ZoneShares;
  readonly told: Told;
}

/** What has to be written. Nothing in it has been seen by the server yet; updates carry the version they were made from. */
export interface SliceChanges {
  /** Slices of a deleted namesake: to go before anything else, so that its pods are never shown as this Service's. */
  readonly stale: readonly EndpointSlice[];
  readonly create: readonly EndpointSlice[];
  readonly update: readonly EndpointSlice[];
  readonly delete: readonly EndpointSlice[];
}

export interface SliceDecision {
  readonly changes: SliceChanges;
  /** Endpoints that come into slices and that leave them, over all families. */
  readonly added: number;
  readonly removed: number;
  /** What is told of hints once this is done, and what there is to tell. */
  readonly told: Told;
  readonly events: readonly HintEvent[];
}

const NOTHING: SliceDecision = {
  changes: { stale: [], create: [], update: [], delete: [] },
  added: 0,
  removed: 0,
  told: {},
  events: [],
};

/** Which slices a Service should have, as the changes from those it has. Deciding again after they are applied gives none. */
export function decideSlices(input: SliceInput): SliceDecision {
  const { service, triggerTime, most } = input;
  if (selectorOf(service) === undefined) return NOTHING;
  const labels = labelsOf(service);
  const ours = input.existing.filter((slice) => isOurs(slice) && slice.metadata.deletionTimestamp === undefined);
  const owned = ours.filter((slice) => isOwnedBy(slice, service)).sort(byName);
  const stale = ours.filter((slice) => !isOwnedBy(slice, service));
  const create: EndpointSlice[] = [];
  const update: EndpointSlice[] = [];
  const families = familiesOf(service);
  const remove = owned.filter(({ addressType }) => !families.some((family) => family === addressType));
  const auto = isAuto(service);
  const told: Partial<Record<IPFamily, Told[IPFamily]>> = {};
  const events: HintEvent[] = [];
  let added = 0;
  let removed = 0;

  const shares = sharesOf(service, input.pods);

  const write = (family: IPFamily, { slice, ports, endpoints, changed }: PlannedSlice): void => {
    const text = sharesText(endpoints, shares);
    if (slice !== undefined) {
      if (!changed && !saysOtherShares(slice, text)) return;
      const annotations = withShares(withTriggerTime(slice.metadata.annotations, triggerTime), text);
      update.push({ ...slice, metadata: { ...slice.metadata, labels, annotations }, ports, endpoints: [...endpoints] });
      return;
    }
    // CTL-049: a Service that is on its way out gets no new slices.
    if (service.metadata.deletionTimestamp !== undefined) return;
    const annotations = withShares(triggerTime === undefined ? {} : withTriggerTime({}, triggerTime), text);
    create.push({
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: {
        generateName: generateNameOf(service),
        namespace: service.metadata.namespace,
        labels,
        ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
        ownerReferences: [ownerOf(service)],
      },
      addressType: family,
      ports,
      endpoints: [...endpoints],
    });
  };

  for (const family of families) {
    const plan = planFamily(
      wantedOf(service, input.pods, input.node, family),
      owned.filter(({ addressType }) => addressType === family),
      { most, isTouched: (slice) => !sameLabels(slice.metadata.labels, labels), keepHints: auto },
    );
    added += plan.added;
    removed += plan.removed;
    remove.push(...plan.surplus);
    // CTL-075: each family is looked at alone.
    const hinted: ReturnType<typeof hintByShare<PlannedSlice>> = auto
      ? hintByShare(plan.slices, input.shares())
      : { slices: plan.slices };
    const now = auto ? (hinted.problem ?? "enabled") : undefined;
    events.push(...tellHints(family, input.told[family], now));
    if (now !== undefined) told[family] = now;
    for (const slice of hinted.slices) write(family, slice);
  }
  return { changes: { stale, create, update, delete: remove }, added, removed, told, events };
}

const byName = (a: EndpointSlice, b: EndpointSlice): number =>
  (a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1;
