import type { RoutePlan } from "../plan/plan.ts";
import type { Header } from "../settings/settings.ts";
import type { Respond } from "./step.ts";
import { headerTemplate } from "./variables.ts";

/** `settings.responseHeaders`: set on the way to the client; one without a value is taken away. */
export function responseHeaders(settings: readonly Header[], route: RoutePlan): Respond {
  const made = settings.map(({ name, value }) => ({ name: name.toLowerCase(), value: headerTemplate(value, route) }));
  return ({ headers }, request) => {
    for (const { name, value } of made) {
      const text = value(request);
      if (text === "") delete headers[name];
      else headers[name] = text;
    }
  };
}
