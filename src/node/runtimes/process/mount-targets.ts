import { realpath } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** Programs and libraries that run before the container's own program, while it still has rights to give up. */
const SYSTEM = /^\/((usr\/)?(bin|sbin|lib\w*)|etc\/ld\.so[^/]*|proc|dev|sys|run\/fairlead)(\/|$)/;
/** What would cover one of them, were it mounted on. */
const ABOVE_SYSTEM = /^\/(usr|etc|run)?\/?$/;

/** True for a mount point that would put a pod's files in the place of those it is confined with. */
export const coversSystem = (target: string): boolean => SYSTEM.test(target) || ABOVE_SYSTEM.test(target);

/** Where a path leads in the host's files, symlinks followed as far as there is something: the rest is made there. */
async function resolved(path: string): Promise<string> {
  if (path === "/") return path;
  return realpath(path).catch(async () => join(await resolved(dirname(path)), basename(path)));
}

/** The mount point behind a volume's path. Throws when a symlink of the host leads it where no volume may be. */
export async function mountTarget(path: string): Promise<string> {
  // These directories are the pod's own, so the host's symlinks in them do not count.
  if (/^\/(run|tmp)\/|^\/dev\/termination-log$/.test(path)) return path;
  const target = await resolved(path);
  if (!coversSystem(target)) return target;
  throw new Error(
    `volumeMounts: mountPath ${path} leads to ${target}, which holds system files a process pod is started with`,
  );
}
