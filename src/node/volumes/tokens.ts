import type { Pod, TokenRequest } from "../../api/generated/types.ts";
import { serviceAccounts } from "../../api/resources.ts";
import { isApiError } from "../../api/status.ts";
import type { Client } from "../../client/client.ts";
import { objectPath } from "../../client/paths.ts";
import { ConfigError } from "../environment/lookups.ts";

/** Tokens of one pod's ServiceAccount, each asked for once and again when most of its life is over. */
export interface PodTokens {
  token(audience: string | undefined, seconds: number): Promise<string>;
  /** When the first of the tokens given is to be replaced, in milliseconds since the epoch; undefined where there is none. */
  nextRefresh(): number | undefined;
}

/** The part of its life after which a token is replaced, and the longest it is kept: what kubelet does. */
const USED = 0.8;
const DAY = 24 * 3_600_000;

/** Tokens are bound to the pod: they end with it. */
export function podTokens(client: Client, now: () => number, pod: Pod): PodTokens {
  const { namespace = "", name = "", uid = "" } = pod.metadata;
  const account = pod.spec?.serviceAccountName || "default";
  const held = new Map<string, { readonly token: string; readonly refreshAt: number }>();

  const ask = async (audience: string | undefined, seconds: number): Promise<{ token: string; refreshAt: number }> => {
    const request = {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenRequest",
      metadata: {},
      spec: {
        ...(audience === undefined ? {} : { audiences: [audience] }),
        expirationSeconds: seconds,
        boundObjectRef: { apiVersion: "v1", kind: "Pod", name, uid },
      },
    };
    const path = objectPath(serviceAccounts, { namespace, name: account }, "token");
    const asked = now();
    const answer = (await client.raw("POST", path, request).catch((error: unknown) => {
      if (!isApiError(error)) throw error;
      throw new ConfigError(`asking for a token of serviceaccount ${namespace}/${account}: ${error.message}`);
    })) as TokenRequest;
    const { token = "", expirationTimestamp = "" } = answer.status ?? {};
    const life = Date.parse(expirationTimestamp) - asked;
    return { token, refreshAt: asked + Math.min(DAY, life * USED) };
  };

  return {
    async token(audience, seconds) {
      const key = JSON.stringify([audience, seconds]);
      let one = held.get(key);
      if (one === undefined || one.refreshAt <= now()) {
        one = await ask(audience, seconds);
        held.set(key, one);
      }
      return one.token;
    },
    nextRefresh: () =>
      held.size === 0 ? undefined : Math.min(...[...held.values()].map(({ refreshAt }) => refreshAt)),
  };
}
