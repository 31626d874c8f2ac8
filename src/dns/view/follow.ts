import type { Namespace } from "../../api/generated/types.ts";
import { keyOf } from "../../api/object.ts";
import type { Log } from "../../observe/log.ts";
import { addressesOf } from "../clients/pod-address.ts";
import type { Contents } from "../names/contents.ts";
import { objectsOf, serviceOf, type View } from "./view.ts";

/** Which objects of a view become names. */
export interface Following {
  /** Slices say nothing to it (DNS-126). */
  readonly noEndpoints: boolean;
  /** Namespaces with names; undefined: all (DNS-076). */
  readonly namespaces: ReadonlySet<string> | undefined;
  readonly isExposed: (namespace: Namespace) => boolean;
}

/**
 * Keeps `contents` equal to a view, and says what changed. Changes that come together, as those of a list do, are taken in
 * together, before anything else happens: a Service with a thousand slices is compiled once, not a thousand times.
 */
export function follow(
  contents: Contents,
  view: View,
  following: Following,
  changed: (words: readonly string[]) => void,
  log: Log,
): void {
  const stale = new Set<string>();
  const take = (): void => {
    const keys = [...stale];
    stale.clear();
    for (const key of keys) {
      try {
        const slices = following.noEndpoints ? [] : (view.slices?.by("service", key) ?? []);
        changed(contents.setService(key, view.services.get(key), slices));
      } catch (error) {
        log.error({ err: error, service: key }, "the names of a Service could not be worked out");
      }
    }
  };
  const isListed = (namespace: string): boolean => following.namespaces?.has(namespace) !== false;
  const takeSoon = (keys: readonly string[]): void => {
    if (stale.size === 0) queueMicrotask(take);
    for (const key of keys) stale.add(key);
  };
  view.services.onChange((change) =>
    takeSoon(
      objectsOf(change)
        .filter(({ metadata }) => isListed(metadata.namespace ?? ""))
        .map(keyOf),
    ),
  );
  if (!following.noEndpoints) {
    view.slices?.onChange((change) =>
      takeSoon(
        objectsOf(change)
          .filter(({ metadata }) => isListed(metadata.namespace ?? ""))
          .map(serviceOf),
      ),
    );
  }
  view.namespaces.onChange((change) => {
    for (const name of new Set(objectsOf(change).map(keyOf))) {
      const namespace = view.namespaces.get(name);
      changed(contents.setNamespace(name, namespace !== undefined && isListed(name) && following.isExposed(namespace)));
    }
  });
  view.pods?.onChange((change) => {
    const addresses = objectsOf(change).map((pod) => addressesOf(pod));
    const isSame = change.type === "changed" && addresses[0]?.join() === addresses[1]?.join();
    if (!isSame) changed(contents.podsChanged(addresses.flat()));
  });
}
