import { invalid, required, type Fault } from "../../fault.ts";
import type { IngressBackend, IngressServiceBackend } from "../../generated/types.ts";
import { checked } from "../../meta/check.ts";
import { checkLabel, checkPortName, isPortNumber, portRange } from "../../meta/names.ts";
import { validateReference } from "../../meta/reference.ts";

/** SVC-293. A Service may be named as DNS allows since 1.36, with a digit in front too. */
function validateService({ name, port }: IngressServiceBackend, field: string): Fault[] {
  const at = `${field}.service`;
  const faults = name === "" ? [required(`${at}.name`)] : checked(checkLabel, `${at}.name`, name);
  const number = port?.number ?? 0;
  if (port?.name && number !== 0) faults.push(invalid(field, "", "cannot set both port name & port number"));
  else if (port?.name) faults.push(...checked(checkPortName, `${at}.port.name`, port.name));
  else if (number === 0) faults.push(required(field, "port name or number is required"));
  else if (!isPortNumber(number)) faults.push(invalid(`${at}.port.number`, number, portRange));
  return faults;
}

/** SVC-292 */
export function validateBackend({ resource, service }: IngressBackend, field: string): Fault[] {
  if (resource !== undefined && service !== undefined) {
    return [invalid(field, "", "cannot set both resource and service backends")];
  }
  if (resource !== undefined) return validateReference(resource, `${field}.resource`);
  if (service !== undefined) return validateService(service, field);
  return [invalid(field, "", "resource or service backend is required")];
}
