import type { Context } from "./context.ts";
import type { Exchange } from "./http/exchange.ts";
import { sendText } from "./http/respond.ts";

/** Answers what is wrong, or undefined. */
type Check = (context: Context) => string | undefined | Promise<string | undefined>;

const fine: Check = () => undefined;

/** Named as upstream names it, whatever the store is: monitoring asks for it by this name. */
const store: Check = async (context) => {
  try {
    const away = await context.consistency.current();
    if (away !== undefined) return away.why;
    await context.store.revision();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
};

const shutdown: Check = (context) => (context.closing.aborted ? "process is shutting down" : undefined);

const ALIVE: Readonly<Record<string, Check>> = { ping: fine, log: fine, etcd: store };

/** What each path looks at, in this order. */
const CHECKS: Readonly<Record<string, Readonly<Record<string, Check>>>> = {
  healthz: ALIVE,
  livez: ALIVE,
  // Everything stored is read before anything listens, so that what waits for it upstream never fails here.
  readyz: { ping: fine, log: fine, etcd: store, "etcd-readiness": store, "informer-sync": fine, shutdown },
};

const PATH = /^\/(healthz|livez|readyz)(?:\/(.+))?$/;
const TYPE = "text/plain; charset=utf-8";

/** `/healthz`, `/livez`, `/readyz`: `ok`, or what fails; with `verbose`, each check on its line; `/livez/ping`: one check. */
export async function sendHealth(context: Context, exchange: Exchange): Promise<boolean> {
  const [, path = "", name] = PATH.exec(exchange.path) ?? [];
  const checks = CHECKS[path];
  if (checks === undefined) return false;
  if (name !== undefined) {
    if (!Object.hasOwn(checks, name)) return false;
    const fault = await checks[name]!(context);
    await (fault === undefined
      ? sendText(exchange, 200, "ok", TYPE)
      : sendText(exchange, 500, `internal server error: ${fault}\n`, TYPE));
    return true;
  }
  exchange.answer.setHeader("x-content-type-options", "nosniff");
  const excluded = new Set(exchange.query.getAll("exclude"));
  const lines: string[] = [];
  let failed = false;
  for (const [check, look] of Object.entries(checks)) {
    if (excluded.delete(check)) lines.push(`[+]${check} excluded: ok`);
    else {
      const fault = await look(context);
      if (fault !== undefined) {
        failed = true;
        context.log.warn({ check, fault }, `${path} check failed`);
      }
      // Health is for everybody, what is wrong inside is not.
      lines.push(fault === undefined ? `[+]${check} ok` : `[-]${check} failed: reason withheld`);
    }
  }
  if (excluded.size > 0) {
    const names = [...excluded].map((one) => JSON.stringify(one)).join(", ");
    lines.push(`warn: some health checks cannot be excluded: no matches for ${names}`);
  }
  if (failed) await sendText(exchange, 500, `${lines.join("\n")}\n${path} check failed\n`, TYPE);
  else if (exchange.query.has("verbose"))
    await sendText(exchange, 200, `${lines.join("\n")}\n${path} check passed\n`, TYPE);
  else await sendText(exchange, 200, "ok", TYPE);
  return true;
}
