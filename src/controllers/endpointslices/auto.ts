import type { EndpointSlice, Node, Service } from "../../api/generated/types.ts";
import { keyOf } from "../../api/object.ts";
import type { Cache } from "../../client/cached.ts";
import { familiesOf } from "../pods/addresses.ts";
import { isOurs } from "./metadata.ts";
import { isAuto } from "./topology/mode.ts";
import type { Told } from "./topology/told.ts";
import type { ZoneShares } from "./topology/zones.ts";
import { zoneFacts, zoneShares } from "./topology/zones.ts";

/** The Services whose hints are made by the shares of zones, and what was told of each. */
export interface AutoServices {
  /** As the nodes are now; worked out when first asked for after they changed. */
  shares(): ZoneShares;
  toldOf(service: Service, existing: readonly EndpointSlice[]): Told;
  tell(service: Service, told: Told): void;
  stop(): void;
}

/** `changed` is called with each such Service when nodes have changed in a way that shares depend on. */
export function createAutoServices(
  nodes: Cache<Node>,
  services: Cache<Service>,
  changed: (key: string) => void,
): AutoServices {
  let shares: ZoneShares | undefined;
  const keys = new Set<string>();
  const told = new Map<string, { readonly uid: string | undefined; readonly told: Told }>();
  for (const service of services.values()) if (isAuto(service)) keys.add(keyOf(service));
  const stops = [
    services.onChange((change) => {
      const service = change.type === "removed" ? change.previous : change.object;
      if (change.type !== "removed" && isAuto(service)) keys.add(keyOf(service));
      else keys.delete(keyOf(service));
      if (change.type === "removed") told.delete(keyOf(service));
    }),
    nodes.onChange((change) => {
      if (change.type === "changed" && zoneFacts(change.object) === zoneFacts(change.previous)) return;
      shares = undefined;
      for (const key of keys) changed(key);
    }),
  ];
  return {
    shares: () => (shares ??= zoneShares(nodes.values())),
    toldOf(service, existing) {
      const known = told.get(keyOf(service));
      if (known !== undefined && known.uid === service.metadata.uid) return known.told;
      if (!isAuto(service)) return {};
      // After a restart the slices remember that hints were given, so that it is not told twice.
      const hinted = familiesOf(service).filter((family) =>
        existing.some(
          (slice) =>
            isOurs(slice) && slice.addressType === family && slice.endpoints?.some(({ hints }) => hints !== undefined),
        ),
      );
      return Object.fromEntries(hinted.map((family) => [family, "enabled"]));
    },
    tell(service, now) {
      if (Object.keys(now).length === 0) told.delete(keyOf(service));
      else told.set(keyOf(service), { uid: service.metadata.uid, told: now });
    },
    stop() {
      for (const stop of stops) stop();
    },
  };
}
