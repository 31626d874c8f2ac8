import type { RouteSettings } from "../settings/settings.ts";
import type { Respond } from "./step.ts";

/** `settings.locations`: where the backend sends clients, as seen from outside: Location, and the URL in Refresh. */
export function locations({ from, to }: NonNullable<RouteSettings["locations"]>): Respond {
  const rewritten = (url: string): string => (url.startsWith(from) ? to + url.slice(from.length) : url);
  return ({ headers }) => {
    const { location, refresh } = headers;
    if (typeof location === "string") headers["location"] = rewritten(location);
    if (typeof refresh !== "string") return;
    const at = refresh.toLowerCase().indexOf("url=");
    if (at >= 0) headers["refresh"] = refresh.slice(0, at + 4) + rewritten(refresh.slice(at + 4));
  };
}
