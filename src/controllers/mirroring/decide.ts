import type { Endpoints, EndpointSlice, Service } from "../../api/generated/types.ts";
import type { SliceChanges } from "../endpointslices/decide.ts";
import { identityOf, sameEndpoint } from "../endpointslices/endpoint.ts";
import { generateNameOf } from "../endpointslices/metadata.ts";
import { sameLabels } from "../pods/labels.ts";
import { annotationsOf, isMirrored, labelsOf, ownerOf } from "./metadata.ts";
import { mirrors } from "./mirrors.ts";
import type { Skipped } from "./skipped.ts";
import type { MirroredSlice } from "./wanted.ts";
import { mirroredOf, mirrorKey } from "./wanted.ts";

export interface MirrorInput {
  readonly endpoints: Endpoints | undefined;
  readonly service: Service | undefined;
  /** The slices with the Service's name label, whoever made them. */
  readonly existing: readonly EndpointSlice[];
  /** CTL-086: `--mirroring-max-endpoints-per-subset`. */
  readonly most: number;
}

export interface MirrorDecision extends Skipped {
  readonly isMirrored: boolean;
  readonly changes: SliceChanges;
  readonly added: number;
  readonly updated: number;
  readonly removed: number;
}

/** Whether the slice holds exactly these endpoints; and what is new, other and gone in it. */
function compare(
  slice: EndpointSlice,
  { endpoints }: MirroredSlice,
): { added: number; updated: number; removed: number } {
  const open = new Map(endpoints.map((endpoint) => [identityOf(endpoint), endpoint]));
  let updated = 0;
  let removed = 0;
  for (const held of slice.endpoints ?? []) {
    const next = open.get(identityOf(held));
    if (next === undefined) removed += 1;
    else if (!sameEndpoint(held, next)) updated += 1;
    open.delete(identityOf(held));
  }
  return { added: open.size, updated, removed };
}

/** Which slices are to mirror an Endpoints object, as the changes from those that do (CTL-083 to CTL-092). */
export function decideMirror({ endpoints, service, existing, most }: MirrorInput): MirrorDecision {
  const ours = existing.filter((slice) => isMirrored(slice) && slice.metadata.deletionTimestamp === undefined);
  const create: EndpointSlice[] = [];
  const update: EndpointSlice[] = [];
  if (!mirrors(endpoints, service)) {
    // CTL-084.
    const changes: SliceChanges = { stale: [], create, update, delete: ours };
    return { isMirrored: false, changes, added: 0, updated: 0, removed: 0, invalid: 0, excess: 0 };
  }
  const { slices: wanted, invalid, excess } = mirroredOf(endpoints, most);
  const labels = labelsOf(endpoints);
  const annotations = annotationsOf(endpoints);
  const owner = ownerOf(endpoints);
  const totals = { added: 0, updated: 0, removed: 0 };
  const missing: MirroredSlice[] = [];
  const left = new Set([...ours].sort((a, b) => ((a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1)));

  const rewrite = (slice: EndpointSlice, { ports, endpoints: held }: MirroredSlice): void => {
    const metadata = { ...slice.metadata, labels, annotations, ownerReferences: [owner] };
    update.push({ ...slice, metadata, ports, endpoints: held });
  };
  for (const [key, next] of wanted) {
    const slice = [...left].find(({ addressType, ports }) => mirrorKey(addressType, ports) === key);
    if (slice === undefined) {
      missing.push(next);
      continue;
    }
    left.delete(slice);
    const difference = compare(slice, next);
    totals.added += difference.added;
    totals.updated += difference.updated;
    totals.removed += difference.removed;
    // CTL-091: one of the same name that was made anew owns the slice from now on.
    const isSame =
      difference.added + difference.updated + difference.removed === 0 &&
      sameLabels(slice.metadata.labels, labels) &&
      sameLabels(slice.metadata.annotations, annotations) &&
      slice.metadata.ownerReferences?.some(({ uid }) => uid === owner.uid) === true;
    if (!isSame) rewrite(slice, next);
  }
  for (const next of missing) {
    totals.added += next.endpoints.length;
    const recycled = [...left].find(({ addressType }) => addressType === next.family);
    if (recycled !== undefined) {
      left.delete(recycled);
      totals.removed += recycled.endpoints?.length ?? 0;
      rewrite(recycled, next);
    } else if (endpoints.metadata.deletionTimestamp === undefined) {
      const { namespace } = endpoints.metadata;
      create.push({
        apiVersion: "discovery.k8s.io/v1",
        kind: "EndpointSlice",
        metadata: { generateName: generateNameOf(endpoints), namespace, labels, annotations, ownerReferences: [owner] },
        addressType: next.family,
        ports: next.ports,
        endpoints: next.endpoints,
      });
    }
  }
  for (const slice of left) totals.removed += slice.endpoints?.length ?? 0;
  return { isMirrored: true, changes: { stale: [], create, update, delete: [...left] }, ...totals, invalid, excess };
}
