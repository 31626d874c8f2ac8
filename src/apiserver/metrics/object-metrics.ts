import type { Metrics } from "../../observe/metrics.ts";
import type { WatchCache } from "../cache/watch-cache.ts";
import type { KindIndex } from "../route.ts";

/** How many objects of each kind there are; the first name is upstream's newer one, the second the one most dashboards still ask for. */
export function objectMetrics(metrics: Metrics, kinds: KindIndex, cache: WatchCache): void {
  metrics.read("gauge", "apiserver_resource_objects", "Objects that are stored.", ["group", "resource"], () =>
    kinds.all.map((kind) => [[kind.group, kind.plural], cache.of(kind).size] as const),
  );
  metrics.read("gauge", "apiserver_storage_objects", "Objects that are stored.", ["resource"], () =>
    kinds.all.map((kind) => {
      const name = kind.group === "" ? kind.plural : `${kind.plural}.${kind.group}`;
      return [[name], cache.of(kind).size] as const;
    }),
  );
}
