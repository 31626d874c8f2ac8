import type { UserInfo } from "../../api/generated/types.ts";
import type { Identity } from "../identity/identity.ts";

/** An identity as the API's objects write it. */
export const userInfo = ({ user, uid, groups, extra }: Identity): UserInfo => ({
  username: user,
  ...(uid === undefined ? {} : { uid }),
  groups: [...groups],
  ...(extra === undefined
    ? {}
    : { extra: Object.fromEntries(Object.entries(extra).map(([name, values]) => [name, [...values]])) }),
});
