import { forbidden, invalid, notSupported, required, tooLong, type Fault } from "../fault.ts";
import type { IngressClass, IngressClassParametersReference } from "../generated/types.ts";
import { checked } from "../meta/check.ts";
import { checkLabel, checkSubdomain } from "../meta/names.ts";
import { validateObjectMeta } from "../meta/objectMeta.ts";
import { validateReference } from "../meta/reference.ts";

const CONTROLLER_MAXIMUM = 250;
const HTTP_PATH = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+";
const httpPath = new RegExp(`^${HTTP_PATH}$`);
const SCOPES = ["Cluster", "Namespace"];

/** `example.com/name`, where the name may have more parts (SVC-299). */
function validateController(controller: string): Fault[] {
  const field = "spec.controller";
  const faults = controller.length > CONTROLLER_MAXIMUM ? [tooLong(field, CONTROLLER_MAXIMUM)] : [];
  if (controller === "") return [...faults, required(field)];
  const slash = controller.indexOf("/");
  if (slash <= 0 || slash === controller.length - 1) {
    faults.push(invalid(field, controller, 'must be a domain-prefixed path (such as "acme.io/foo")'));
    return faults;
  }
  const path = controller.slice(slash + 1);
  faults.push(...checked(checkSubdomain, field, controller.slice(0, slash)));
  if (!httpPath.test(path))
    faults.push(invalid(field, path, `Invalid path (regex used for validation is '${HTTP_PATH}')`));
  return faults;
}

/** SVC-300 */
function validateParameters(parameters: IngressClassParametersReference | undefined): Fault[] {
  if (parameters === undefined) return [];
  const field = "spec.parameters";
  const { namespace, scope = "" } = parameters;
  const faults = validateReference(parameters, field);
  if (!SCOPES.includes(scope)) return [...faults, notSupported(`${field}.scope`, scope, SCOPES)];
  if (scope === "Cluster") {
    if (namespace !== undefined) {
      faults.push(forbidden(`${field}.namespace`, "`parameters.scope` is set to 'Cluster'"));
    }
  } else if (namespace === undefined) {
    faults.push(required(`${field}.namespace`, "`parameters.scope` is set to 'Namespace'"));
  } else faults.push(...checked(checkLabel, `${field}.namespace`, namespace));
  return faults;
}

/** SVC-299, SVC-300 */
export function validate(next: IngressClass, previous: IngressClass | undefined): Fault[] {
  const controller = next.spec?.controller ?? "";
  return [
    ...validateObjectMeta(next.metadata, previous?.metadata, { namespaced: false, checkName: checkSubdomain }),
    ...(previous === undefined || (previous.spec?.controller ?? "") === controller
      ? []
      : [invalid("spec.controller", controller, "field is immutable")]),
    ...validateController(controller),
    ...validateParameters(next.spec?.parameters),
  ];
}
