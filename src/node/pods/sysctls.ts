import type { Sysctl } from "../../api/generated/types.ts";
import type { Host } from "../../host/host.ts";
import { namespacePath, type Sandbox } from "../sandbox/sandbox.ts";

/** Always this same text: names and values come as its arguments. /proc/sys/net is that of the namespace whoever looks is in. */
const SET = 'while [ "$#" -gt 0 ]; do printf %s "$2" >"/proc/sys/$1" || exit; shift 2; done';

/** `net.ipv4.x` as a path below /proc/sys. Both spellings are in use; a slash in the name of one with dots stands for a dot. */
export const sysctlPath = (name: string): string =>
  name.indexOf("/") !== -1 && (name.indexOf(".") === -1 || name.indexOf("/") < name.indexOf("."))
    ? name
    : name.replaceAll(/[./]/g, (sign) => (sign === "." ? "/" : "."));

/** Sets the pod's own kernel settings in its network namespace. Which ones it may have was judged before. */
export async function applySysctls(host: Host, sandbox: Sandbox, sysctls: readonly Sysctl[]): Promise<void> {
  const namespace = namespacePath(sandbox);
  if (sysctls.length === 0 || namespace === undefined) return;
  const words = sysctls.flatMap(({ name, value }) => [sysctlPath(name), value]);
  const { code, stderr } = await host.run("nsenter", [`--net=${namespace}`, "sh", "-c", SET, "sh", ...words]);
  if (code === 0) return;
  const list = sysctls.map(({ name, value }) => `${name}=${value}`).join(", ");
  throw new Error(`securityContext.sysctls: setting ${list}: ${stderr.trim().split("\n")[0]}`);
}
