import type { Service } from "../../api/generated/types.ts";
import { services } from "../../api/resources.ts";
import { service } from "../../api/service/service.ts";
import { upToDate } from "../../api/service/upToDate.ts";
import { storedText } from "../cache/item.ts";
import type { Context } from "../context.ts";
import { prefixOf } from "../keys.ts";
import { store } from "../write.ts";

/**
 * Brings the Services that an older server stored up to date, so that everybody reads all of their fields (SVC-039, SVC-043,
 * SVC-044). Runs once everything stored has been read, and before anybody is answered. One that somebody else writes meanwhile is
 * theirs.
 */
export async function updateOlderServices(context: Context, primary: string): Promise<void> {
  let updated = 0;
  for (const item of Array.from(context.cache.of(service).range(prefixOf(services)))) {
    const object = upToDate(item.object as Service, primary);
    if (object === item.object) continue;
    const condition = { key: item.key, modRevision: item.revision };
    await store(context, [condition], [{ type: "put", key: item.key, value: storedText(object) }]);
    updated += 1;
  }
  if (updated > 0) context.log.info({ services: updated }, "brought Services up to date that an older server stored");
}
