import { isApiError, type ApiError } from "../../api/status.ts";
import type { Item } from "../cache/item.ts";
import type { Change } from "../cache/ring.ts";
import type { ResourceCache } from "../cache/resource-cache.ts";
import type { Context } from "../context.ts";
import { expired } from "../errors.ts";
import type { Exchange } from "../http/exchange.ts";
import { startAnswer } from "../http/respond.ts";
import { shapeOf, tableOptions } from "../output/shape.ts";
import { listOptions, type ListOptions } from "../listing/list-options.ts";
import { reached, revisionOf } from "../listing/revisions.ts";
import { isSelected, selectionOf, type Selection } from "../listing/selection.ts";
import { errorLine, eventOf, EventWriter } from "../watch/events.ts";
import { LineStream } from "../watch/stream.ts";
import type { Verb } from "./verb.ts";

/** Least seconds a watch lives when its client names none; up to twice that, so that clients do not all return at once. */
const MINIMUM_LIFE_SECONDS = 1800;
/** The longest that a timer can wait. */
const MAXIMUM_LIFE_MS = 2 ** 31 - 1;
const BOOKMARK_EVERY_MS = 60_000;
/** How long before its end a watch gives its last bookmark. */
const LAST_BOOKMARK_BEFORE_MS = 2000;
/** Changes that may come while a client is still reading what there was at first. */
const MAXIMUM_HELD = 20_000;

interface Asked {
  readonly from: number | undefined;
  readonly bookmarks: boolean;
  readonly initial: boolean;
  /** Whether the end of the initial objects is told by a bookmark. */
  readonly marksInitialEnd: boolean;
  readonly lifeMs: number;
}

/** What of the options a watch goes by. @throws ApiError */
function askedOf(context: Context, options: ListOptions): Asked {
  const { sendInitialEvents: sends, allowWatchBookmarks: bookmarks, timeoutSeconds: seconds = 0 } = options;
  const from = revisionOf(options.resourceVersion);
  const chance = context.random(1)[0]! / 256;
  const lifeSeconds = seconds === 0 ? MINIMUM_LIFE_SECONDS * (1 + chance) : Math.max(seconds, 0);
  return {
    from,
    bookmarks,
    initial: sends ?? from === undefined,
    marksInitialEnd: sends === true && bookmarks,
    lifeMs: Math.min(lifeSeconds * 1000, MAXIMUM_LIFE_MS),
  };
}

/** Why the objects of a revision cannot be told first; a watch that has begun is told so by its first event. */
async function failureToReach(context: Context, asked: Asked, said: string): Promise<ApiError | undefined> {
  if (!asked.initial || asked.from === undefined) return undefined;
  try {
    await reached(context, asked.from, said);
    return undefined;
  } catch (error) {
    if (isApiError(error, "Timeout")) return error;
    throw error;
  }
}

const initialItems = (resource: ResourceCache, selection: Selection): Item[] =>
  [...resource.range(selection.prefix)].filter((item) => isSelected(selection, item));

/** GET with `watch=true`: every change from a revision, or from now, until the client goes or its time is over. */
export const watch: Verb = async (context, exchange, route) => {
  const { kind } = route;
  const shape = shapeOf(exchange);
  const options = listOptions(exchange.query);
  const selection = selectionOf(route, exchange.query);
  const asked = askedOf(context, options);
  const writer = new EventWriter(kind, shape, () => tableOptions(exchange, context, shape));
  if (shape.as === "Table") tableOptions(exchange, context, shape);
  const failed = await failureToReach(context, asked, options.resourceVersion);

  const resource = context.cache.of(kind);
  // From here to `listen` nothing waits, so that no change falls between the past and what is to come.
  let told = asked.from ?? context.cache.revision;
  const first = asked.initial ? initialItems(resource, selection) : [];
  if (asked.initial) told = context.cache.revision;
  const past = asked.initial || asked.from === undefined ? [] : resource.ring.after(asked.from);
  startAnswer(exchange, 200, "application/json");
  exchange.answer.setHeader("x-content-type-options", "nosniff");
  const failure =
    failed ??
    (past === undefined ? expired(`too old resource version: ${asked.from} (${resource.ring.since})`) : undefined);
  if (failure !== undefined || past === undefined) {
    exchange.answer.end(failure && errorLine(failure));
    return;
  }
  flush(exchange);

  const drop = (): void => {
    context.log.warn(
      { path: exchange.path, user: exchange.identity.user },
      "a watcher reads too slowly and is dropped",
    );
    exchange.answer.destroy();
  };
  const stream = new LineStream(exchange.answer, drop);
  const sent = context.requests.watchEvents(kind);
  /** Changes that came while the initial objects were still being written. */
  let held: Change[] | undefined = [...past];
  const give = (changes: readonly Change[], isShared: boolean): void => {
    const lines: Buffer[] = [];
    for (const change of changes) {
      if (change.revision <= told) continue;
      const event = eventOf(selection, change);
      if (event === undefined) continue;
      lines.push(isShared ? writer.change(event.type, event.item, change) : writer.item(event.type, event.item));
    }
    sent.value += lines.length;
    stream.write(lines);
  };
  await new Promise<void>((resolve) => {
    const cancels: (() => void)[] = [];
    const stop = (): void => {
      for (const cancel of cancels.splice(0)) cancel();
      resolve();
    };
    const finish = (): void => {
      stop();
      stream.end();
    };
    cancels.push(
      resource.listen({
        changes: (changes) => {
          if (held === undefined) give(changes, true);
          else if (held.length + changes.length <= MAXIMUM_HELD) held.push(...changes);
          else drop();
        },
        lost: () => {
          stream.write([errorLine(expired("the server read its store anew; list again"))]);
          finish();
        },
      }),
      context.clock.after(asked.lifeMs, finish),
    );
    if (asked.bookmarks) {
      const bookmark = (): void => {
        // Of a revision that is still to come nothing can be said.
        if (held !== undefined || context.cache.revision < told) return;
        stream.write([writer.bookmark(context.cache.revision)]);
      };
      const repeat = (): void => {
        bookmark();
        cancels.push(context.clock.after(BOOKMARK_EVERY_MS, repeat));
      };
      cancels.push(context.clock.after(BOOKMARK_EVERY_MS, repeat));
      cancels.push(context.clock.after(Math.max(asked.lifeMs - LAST_BOOKMARK_BEFORE_MS, asked.lifeMs / 2), bookmark));
    }
    context.closing.addEventListener("abort", finish, { once: true });
    exchange.answer.on("close", stop);
    exchange.answer.on("error", stop);
    cancels.push(() => context.closing.removeEventListener("abort", finish));
    if (context.closing.aborted) finish();
    const begin = async (): Promise<void> => {
      for (const item of first) await stream.writePaced(writer.item("ADDED", item));
      sent.value += first.length;
      if (asked.marksInitialEnd) stream.write([writer.bookmark(told, true)]);
      const changes = held ?? [];
      held = undefined;
      give(changes, false);
    };
    begin().catch((error: unknown) => {
      context.log.error({ path: exchange.path, error: String(error) }, "a watch ended by a failure nobody expected");
      stop();
      exchange.answer.destroy();
    });
  });
};

/** Sends the head of the answer at once: clients take it for the sign that the watch stands. */
function flush({ answer }: Exchange): void {
  const http = answer as { flushHeaders?: () => void };
  http.flushHeaders?.();
}
