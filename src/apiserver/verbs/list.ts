import { ApiError } from "../../api/status.ts";
import type { ListMeta, Status } from "../../api/generated/types.ts";
import { Compacted } from "../../store/store.ts";
import { itemOf, type Item } from "../cache/item.ts";
import type { Context } from "../context.ts";
import { decodeContinue, encodeContinue } from "../listing/continue.ts";
import { badRequest, expired } from "../errors.ts";
import { sendItems, shapeOf } from "../output/shape.ts";
import { listOptions, type ListOptions } from "../listing/list-options.ts";
import { reached, revisionOf } from "../listing/revisions.ts";
import type { ResourceRoute } from "../route.ts";
import { isSelected, selectionOf, type Selection } from "../listing/selection.ts";
import type { Verb } from "./verb.ts";

/** Entries read at once from the store when a page is older than the cache. */
const CHUNK = 500;

/** A `continue` whose revision is forgotten. The Status carries a token to go on with from now, inconsistently. */
class ContinueExpired extends ApiError {
  readonly #continue: string;

  constructor(token: string) {
    super(
      "Expired",
      "The provided continue parameter is too old to display a consistent list result. Start a new list without it, or use the " +
        "continue token of this answer for the rest as it is now.",
    );
    this.#continue = token;
  }

  override toStatus(): Status {
    return { ...super.toStatus(), metadata: { continue: this.#continue } };
  }
}

interface Page {
  readonly items: Item[];
  readonly revision: number;
  /** Key of the last item looked at, when there is more behind it. */
  readonly last: string | undefined;
  /** Items behind it, when no selector makes that unknown. */
  readonly remaining: number | undefined;
}

/** A page of what is there now. */
function pageNow(context: Context, route: ResourceRoute, selection: Selection, limit: number, after?: string): Page {
  const resource = context.cache.of(route.kind);
  const items: Item[] = [];
  let remaining = 0;
  const only = selection.key === undefined ? undefined : resource.get(selection.key);
  const range =
    selection.key === undefined ? resource.range(selection.prefix, after) : only === undefined ? [] : [only];
  for (const item of range) {
    if (!isSelected(selection, item)) continue;
    if (limit === 0 || items.length < limit) items.push(item);
    else remaining++;
  }
  const isMore = remaining > 0;
  return {
    items,
    revision: context.cache.revision,
    last: isMore ? items.at(-1)!.key : undefined,
    remaining: isMore && selection.matches === undefined ? remaining : undefined,
  };
}

/** A page as it was at a revision, from the store. */
async function pageAt(
  context: Context,
  selection: Selection,
  limit: number,
  revision: number,
  after?: string,
): Promise<Page> {
  const items: Item[] = [];
  let from = after;
  for (;;) {
    const read = await context.store.list(selection.prefix, {
      limit: CHUNK,
      revision,
      ...(from === undefined ? {} : { after: from }),
    });
    for (const [index, entry] of read.entries.entries()) {
      const item = itemOf(entry);
      if (!isSelected(selection, item)) continue;
      items.push(item);
      const behind = read.entries.length - index - 1 + read.remaining;
      if (items.length === limit && behind > 0) {
        return { items, revision, last: item.key, remaining: selection.matches === undefined ? behind : undefined };
      }
    }
    if (!read.more) return { items, revision, last: undefined, remaining: undefined };
    from = read.entries.at(-1)!.key;
  }
}

const noRevision = (why: string): ApiError => badRequest(`invalid resource version: ${why}`);

/** The page that a token asks for. */
async function readOn(
  context: Context,
  route: ResourceRoute,
  selection: Selection,
  limit: number,
  token: string,
): Promise<Page> {
  const { changed } = context.cache.of(route.kind);
  const { revision, after } = decodeContinue(token, selection.prefix);
  if (revision < 0) return pageNow(context, route, selection, limit, after);
  await reached(context, revision);
  // Nothing of this kind changed since the first page: what is there now is what was there then.
  if (changed <= revision) return { ...pageNow(context, route, selection, limit, after), revision };
  try {
    return await pageAt(context, selection, limit, revision, after);
  } catch (error) {
    if (!(error instanceof Compacted) && !(error instanceof RangeError)) throw error;
    throw new ContinueExpired(encodeContinue({ revision: -1, after }, selection.prefix));
  }
}

/**
 * What a list of these options shows.
 *
 * @throws ApiError BadRequest for a revision or token that is none, Timeout for a revision that does not come, Expired for one that is forgotten
 */
export async function readPage(
  context: Context,
  route: ResourceRoute,
  selection: Selection,
  said: ListOptions,
): Promise<Page> {
  const { limit, resourceVersion, resourceVersionMatch } = said;
  const asked = revisionOf(resourceVersion, noRevision);
  if (said.continue !== "") {
    // A token that cannot be read is told before what does not go with one.
    decodeContinue(said.continue, selection.prefix);
    if (asked !== undefined) throw badRequest("specifying resource version is not allowed when using continue");
    return readOn(context, route, selection, limit, said.continue);
  }
  if (asked !== undefined) await reached(context, asked, resourceVersion);
  if (asked !== undefined && resourceVersionMatch === "Exact" && !(context.cache.of(route.kind).changed <= asked)) {
    try {
      return await pageAt(context, selection, limit, asked);
    } catch (error) {
      if (!(error instanceof Compacted)) throw error;
      throw expired("The resourceVersion for the provided list is too old.");
    }
  }
  // Whoever takes any revision is answered from memory at once, and whole: there is no revision to go on at.
  const isAny = resourceVersion !== "" && asked === undefined;
  return pageNow(context, route, selection, isAny ? 0 : limit);
}

/** GET of many objects: all, or page by page at one revision. */
export const list: Verb = async (context, exchange, route) => {
  const shape = shapeOf(exchange);
  const options = listOptions(exchange.query);
  const selection = selectionOf(route, exchange.query);
  const page = await readPage(context, route, selection, options);
  const { revision, last, remaining } = page;
  const metadata: ListMeta = {
    resourceVersion: String(revision),
    ...(last === undefined ? {} : { continue: encodeContinue({ revision, after: last }, selection.prefix) }),
    ...(remaining === undefined ? {} : { remainingItemCount: remaining }),
  };
  await sendItems(exchange, context, route.kind, page.items, metadata, shape);
};
