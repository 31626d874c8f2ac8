import type { Cors } from "../settings/settings.ts";
import type { Admit, Respond } from "./step.ts";

/** Whether a pattern holds for an origin. One `*` stands for one label of a host, and nothing is looked at twice. */
function originMatcher(pattern: string): (origin: string) => boolean {
  const text = pattern.trim().toLowerCase();
  const star = text.indexOf("*");
  if (star < 0) return (origin) => origin === text;
  const before = text.slice(0, star);
  const after = text.slice(star + 1);
  return (origin) =>
    origin.length > before.length + after.length &&
    origin.startsWith(before) &&
    origin.endsWith(after) &&
    /^[a-z0-9-]+$/.test(origin.slice(before.length, origin.length - after.length));
}

/** `Vary` with one name more. */
function varyWith(vary: unknown, name: string): string {
  const said = Array.isArray(vary) ? vary.join(", ") : typeof vary === "string" ? vary : "";
  if (said === "") return name;
  const names = said.split(",").map((one) => one.trim().toLowerCase());
  return names.includes("*") || names.includes(name.toLowerCase()) ? said : `${said}, ${name}`;
}

const OURS = [
  "access-control-allow-origin",
  "access-control-allow-credentials",
  "access-control-allow-methods",
  "access-control-allow-headers",
  "access-control-expose-headers",
  "access-control-max-age",
];

/** `settings.cors`: which pages of other origins may ask. What the backend says of that itself is replaced. */
export function cors(setting: Cors): { readonly admit: Admit; readonly respond: Respond } {
  const isAny = setting.origins.some((origin) => origin.trim() === "*");
  const matchers = setting.origins.map(originMatcher);
  const isAllowed = (origin: string): boolean => {
    const lower = origin.toLowerCase();
    return matchers.some((matches) => matches(lower));
  };
  const always = {
    ...(setting.credentials ? { "access-control-allow-credentials": "true" } : {}),
    "access-control-allow-methods": setting.methods,
    "access-control-allow-headers": setting.headers,
    ...(setting.expose === undefined ? {} : { "access-control-expose-headers": setting.expose }),
    "access-control-max-age": String(setting.maxAge),
  };
  return {
    /** A preflight carries no credentials: it is answered before anybody asks for them. */
    admit({ method, headers: { origin } }) {
      return method === "OPTIONS" && origin !== undefined && (isAny || isAllowed(origin)) ? { status: 204 } : undefined;
    },
    respond({ headers }, { headers: { origin } }) {
      for (const name of OURS) delete headers[name];
      if (!isAny) headers["vary"] = varyWith(headers["vary"], "Origin");
      if (isAny) headers["access-control-allow-origin"] = "*";
      else if (origin !== undefined && isAllowed(origin)) headers["access-control-allow-origin"] = origin;
      else return;
      Object.assign(headers, always);
    },
  };
}
