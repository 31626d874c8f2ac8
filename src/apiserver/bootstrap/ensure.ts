import type { Kind } from "../../api/kind.ts";
import type { KubeObject } from "../../api/object.ts";
import { isApiError } from "../../api/status.ts";
import type { Context } from "../context.ts";
import { changeObject } from "../verbs/change-object.ts";
import { createObject } from "../verbs/create-object.ts";
import { itemAt } from "../write.ts";

/** Creates an object that is the server's own, or mends the one that is there; `mend` answers undefined when nothing is wrong with it. */
export async function ensureOwn<T extends KubeObject>(
  context: Context,
  kind: Kind,
  wanted: T,
  mend: (present: T) => T | undefined = () => undefined,
): Promise<void> {
  const at = { namespace: wanted.metadata.namespace, name: wanted.metadata.name ?? "" };
  const silent = { dryRun: false, warn: () => {} };
  const present = itemAt(context, kind, at);
  if (present === undefined) {
    try {
      await createObject(context, kind, wanted, silent);
      return;
    } catch (error) {
      if (!isApiError(error, "AlreadyExists")) throw error;
    }
  }
  if (present !== undefined && mend(present.object as T) === undefined) return;
  await changeObject(
    context,
    kind,
    at,
    { ...silent, by: "server" },
    (current) => mend(current.object as T) ?? current.object,
  );
}
