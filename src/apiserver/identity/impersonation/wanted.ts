import { badRequest } from "../../errors.ts";

/** Whom a request asks to be taken for, exactly as its headers say. */
export interface Wanted {
  readonly user: string;
  /** `""` for none. */
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

const PREFIX = "impersonate-";
const EXTRA = "impersonate-extra-";

/** Keys are percent-encoded, because a header's name may not have every sign; a broken escape stands for itself. */
function extraKey(header: string): string {
  const encoded = header.slice(EXTRA.length);
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
}

/**
 * Reads the `Impersonate-` headers; undefined when nobody is to be impersonated. Of a user and a UID the first header counts, groups and extras
 * are as many as there are headers: a comma is a sign like any other in them.
 *
 * @throws ApiError BadRequest when parts of a user are named, but no user
 */
export function wantedIdentity(rawHeaders: readonly string[]): Wanted | undefined {
  let user: string | undefined;
  let uid: string | undefined;
  const groups: string[] = [];
  const extra = new Map<string, string[]>();
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!.toLowerCase();
    if (!name.startsWith(PREFIX)) continue;
    const value = rawHeaders[index + 1]!;
    if (name === "impersonate-user") user ??= value;
    else if (name === "impersonate-uid") uid ??= value;
    else if (name === "impersonate-group") groups.push(value);
    else if (name.startsWith(EXTRA)) {
      const key = extraKey(name);
      extra.set(key, [...(extra.get(key) ?? []), value]);
    }
  }
  if (user !== undefined && user !== "") return { user, uid: uid ?? "", groups, extra: Object.fromEntries(extra) };
  const parts = [
    ...(uid === undefined || uid === "" ? [] : [`the UID ${JSON.stringify(uid)}`]),
    ...groups.map((group) => `the group ${JSON.stringify(group)}`),
    ...[...extra.keys()].map((key) => `the extra ${JSON.stringify(key)}`),
  ];
  if (parts.length > 0) throw badRequest(`requested ${parts.join(", ")} without impersonating a user name`);
  return undefined;
}
