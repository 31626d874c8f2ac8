import type { ServiceAccount } from "../../api/generated/types.ts";
import { keyOf } from "../../api/object.ts";
import { secrets as secretResource, serviceAccounts } from "../../api/resources.ts";
import { isApiError } from "../../api/status.ts";
import { createWorkQueue } from "../../client/work-queue.ts";
import type { Part } from "../../observe/part.ts";
import type { ControllerEnvironment } from "../environment.ts";
import { ACCOUNT_UID, accountKeyOf, decide, type SignToken } from "./decide.ts";

/** Writes tokens into the Secrets that ask for one (`kubernetes.io/service-account-token`), and removes those whose ServiceAccount is gone. */
export async function startTokenSecrets(
  environment: ControllerEnvironment,
  ca: string,
  sign: SignToken,
): Promise<Part> {
  const { client, caches, clock, random } = environment;
  const log = environment.log.child({ controller: "tokensecrets" });
  const { secrets, serviceAccounts: accounts } = caches;
  await Promise.all([secrets.synced(), accounts.synced()]);

  /** The cache may not have it yet: a Secret must not go because it was quicker than its ServiceAccount. */
  const accountOf = async (
    key: string,
    uid: string | undefined,
    signal: AbortSignal,
  ): Promise<ServiceAccount | undefined> => {
    const cached = accounts.get(key);
    if (cached !== undefined && (uid === undefined || uid === cached.metadata.uid)) return cached;
    const [namespace = "", name = ""] = key.split("/");
    try {
      return await client.get<ServiceAccount>(serviceAccounts, { namespace, name }, signal);
    } catch (error) {
      if (isApiError(error, "NotFound")) return undefined;
      throw error;
    }
  };
  const work = async (key: string, signal: AbortSignal): Promise<void> => {
    const secret = secrets.get(key);
    const accountKey = secret && accountKeyOf(secret);
    if (secret === undefined || accountKey === undefined || secret.metadata.deletionTimestamp !== undefined) return;
    const account = await accountOf(accountKey, secret.metadata.annotations?.[ACCOUNT_UID], signal);
    const decision = decide(secret, account, ca, sign);
    if (decision === undefined) return;
    const { namespace, name = "", uid } = secret.metadata;
    try {
      if (decision !== "delete") await client.update(secretResource, decision.write, undefined, signal);
      else {
        const preconditions = uid === undefined ? {} : { preconditions: { uid } };
        await client.delete(secretResource, { namespace, name }, preconditions, signal);
      }
    } catch (error) {
      // Gone, or written by somebody else: the cache will tell.
      if (!isApiError(error, "NotFound", "Conflict")) throw error;
    }
  };
  const queue = createWorkQueue({ concurrency: 4, clock, random, log, work });
  for (const secret of secrets.values()) if (accountKeyOf(secret) !== undefined) queue.add(keyOf(secret));
  const stops = [
    secrets.onChange((change) => {
      if (change.type !== "removed" && accountKeyOf(change.object) !== undefined) queue.add(keyOf(change.object));
    }),
    accounts.onChange((change) => {
      const account = change.type === "removed" ? change.previous : change.object;
      for (const secret of secrets.by("account", keyOf(account))) queue.add(keyOf(secret));
    }),
  ];
  return {
    async stop() {
      for (const stop of stops) stop();
      await queue.stop();
    },
  };
}
