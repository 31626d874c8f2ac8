import type { Clock } from "../../observe/clock.ts";
import type { WatchCache } from "../cache/watch-cache.ts";
import type { TokenAuthenticator } from "../identity/authenticate.ts";
import type { TokenJudge } from "../identity/token-verdict.ts";
import { objectKey } from "../keys.ts";
import type { KindIndex } from "../route.ts";
import type { TokenAuthority } from "./authority.ts";
import type { At } from "../write.ts";
import { judgeServiceAccountToken, type Find } from "./judge.ts";

/** Objects as the watch cache has them. */
export const objectsInMemory =
  (kinds: KindIndex, cache: WatchCache): Find =>
  (resource, at) => {
    const kind = kinds.find(resource.group, resource.version, resource.plural);
    return kind === undefined ? undefined : cache.of(kind).get(objectKey(kind, at))?.object;
  };

/** Asks first those who know whole tokens, which are all for this API; then reads it as a ServiceAccount's. `used` hears of Secrets' tokens. */
export function tokenJudge(
  known: readonly TokenAuthenticator[],
  authority: TokenAuthority,
  find: Find,
  clock: Clock,
  used: (secret: At) => void,
): TokenJudge {
  return async (token, audiences) => {
    const ours = audiences.filter((audience) => authority.audiences.includes(audience));
    for (const judge of ours.length === 0 ? [] : known) {
      const identity = await judge(token);
      if (identity !== undefined) return { identity, audiences: ours };
    }
    const verdict = judgeServiceAccountToken(token, audiences, authority, find, clock.now());
    if (verdict === undefined) return { refused: "invalid bearer token" };
    if (verdict.secret !== undefined) used(verdict.secret);
    return "refused" in verdict ? { refused: `[invalid bearer token, ${verdict.refused}]` } : verdict;
  };
}
