import type { CookieRewrite } from "../settings/settings.ts";
import type { Respond } from "./step.ts";

const bareDomain = (text: string): string => text.trim().replace(/^\./, "").toLowerCase();

/** One `Set-Cookie`, with its Domain and Path as they are seen from outside. */
function rewritten(cookie: string, { domain, path }: CookieRewrite): string {
  const parts = cookie.split(";");
  for (let at = 1; at < parts.length; at += 1) {
    const part = parts[at]!;
    const equals = part.indexOf("=");
    if (equals < 0) continue;
    const name = part.slice(0, equals).trim().toLowerCase();
    const value = part.slice(equals + 1).trim();
    if (name === "domain" && domain !== undefined && bareDomain(value) === bareDomain(domain.from)) {
      parts[at] = ` Domain=${domain.to}`;
    } else if (name === "path" && path !== undefined && value.startsWith(path.from)) {
      parts[at] = ` Path=${path.to}${value.slice(path.from.length)}`;
    }
  }
  return parts.join(";");
}

/** `settings.cookies`: Domain and Path of cookies that the backend sets. */
export const cookies =
  (setting: CookieRewrite): Respond =>
  ({ headers }) => {
    const set = headers["set-cookie"];
    if (set === undefined) return;
    headers["set-cookie"] = Array.isArray(set)
      ? set.map((cookie) => rewritten(cookie, setting))
      : rewritten(set, setting);
  };
