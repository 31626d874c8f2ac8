import type { Context } from "../context.ts";
import type { Exchange } from "../http/exchange.ts";

export async function sendOpenApi(_context: Context, _exchange: Exchange): Promise<boolean> {
  return false;
}
