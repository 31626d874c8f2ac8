import type { Context } from "./context.ts";
import type { Exchange } from "./http/exchange.ts";
import { sendText } from "./http/respond.ts";

const HEALTH = /^\/(healthz|livez|readyz)(\/(ping|etcd|[a-z-]+))?$/;

/** `/healthz`, `/livez`, `/readyz`: `ok` while the store answers; with `verbose`, each check on its line. */
export async function sendHealth(context: Context, exchange: Exchange): Promise<boolean> {
  const found = HEALTH.exec(exchange.path);
  if (found === null) return false;
  const failures: string[] = [];
  if (found[1] !== "livez") {
    try {
      const away = await context.consistency.current();
      if (away !== undefined) throw new Error(away.why);
      await context.store.revision();
    } catch (error) {
      failures.push(`[-]store failed: ${error instanceof Error ? error.message : String(error)}`);
    }
    if (context.closing.aborted) failures.push("[-]shutdown failed: the server is closing");
  }
  if (failures.length > 0) {
    await sendText(exchange, 500, `${failures.join("\n")}\n${found[1]} check failed\n`, "text/plain; charset=utf-8");
    return true;
  }
  const text = exchange.query.has("verbose") ? `[+]ping ok\n[+]store ok\n${found[1]} check passed\n` : "ok";
  await sendText(exchange, 200, text, "text/plain; charset=utf-8");
  return true;
}
