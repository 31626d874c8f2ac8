import type { Context } from "../context.ts";
import type { Exchange } from "../http/exchange.ts";
import { sendText } from "../http/respond.ts";

/** `/metrics`, in the text format of Prometheus. */
export async function sendMetrics(context: Context, exchange: Exchange): Promise<boolean> {
  if (exchange.path !== "/metrics" || exchange.method !== "GET") return false;
  const text = await context.metrics.text((name, error) =>
    context.log.warn({ metric: name, error: String(error) }, "a metric cannot be read"),
  );
  await sendText(exchange, 200, text, "text/plain; version=0.0.4; charset=utf-8");
  return true;
}
