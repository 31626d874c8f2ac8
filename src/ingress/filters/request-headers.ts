import type { RoutePlan } from "../plan/plan.ts";
import type { Header } from "../settings/settings.ts";
import type { Forward } from "./step.ts";
import { headerTemplate } from "./variables.ts";

/** `settings.requestHeaders`: set on the way to the backend; one without a value is taken away. */
export function requestHeaders(settings: readonly Header[], route: RoutePlan): Forward {
  const made = settings.map(({ name, value }) => ({ name: name.toLowerCase(), value: headerTemplate(value, route) }));
  return ({ headers }, request) => {
    for (const { name, value } of made) {
      const text = value(request);
      if (text === "") delete headers[name];
      else headers[name] = text;
    }
  };
}
