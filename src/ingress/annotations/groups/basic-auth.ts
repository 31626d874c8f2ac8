import type { Secret } from "../../../api/generated/types.ts";
import { hashKind } from "../../filters/basic-auth/hash-kind.ts";
import type { BasicAuth } from "../../settings/settings.ts";
import { closes, same, type AnnotationGroup } from "../group.ts";
import type { Said } from "../said.ts";

const decoded = (base64: string): string => Buffer.from(base64, "base64").toString("utf8");

/** The file that htpasswd writes: `user:hash` a line, and remarks after `#`. The first line of a user counts. */
function usersOfFile(said: Said, text: string): Map<string, string> {
  const users = new Map<string, string>();
  for (const [index, whole] of text.split("\n").entries()) {
    const line = whole.trim();
    if (line === "" || line.startsWith("#")) continue;
    const at = line.indexOf(":");
    const user = line.slice(0, at);
    // Whatever comes after another colon is a remark.
    const hash = line.slice(at + 1).split(":", 1)[0]!;
    if (at < 1 || hash === "") {
      said.fault(
        "auth-secret",
        "AnnotationInvalid",
        `line ${index + 1} of key auth is not USER:HASH, as htpasswd writes it; this user cannot log in`,
      );
    } else if (!users.has(user)) {
      users.set(user, hash);
    }
  }
  return users;
}

function usersOf(said: Said, secret: Secret): ReadonlyMap<string, string> | undefined {
  const kind = said.text("auth-secret-type") ?? "auth-file";
  const data = secret.data ?? {};
  if (kind === "auth-map") {
    return new Map(Object.entries(data).map(([user, hash]) => [user, decoded(hash).trim()] as const));
  }
  if (kind !== "auth-file") {
    said.refuse("auth-secret-type", `${JSON.stringify(kind)} is not auth-file or auth-map`, "AnnotationInvalid");
    return undefined;
  }
  const file = data["auth"];
  if (file === undefined) {
    said.refuse("auth-secret", `Secret ${said.text("auth-secret")} has no key auth, the file that htpasswd writes`);
    return undefined;
  }
  return usersOfFile(said, decoded(file));
}

function basicAuthOf(said: Said): BasicAuth | undefined {
  const type = said.text("auth-type") ?? "basic";
  if (type === "digest") {
    said.refuse("auth-type", "digest authentication cannot be done; basic over TLS can");
    return undefined;
  }
  if (type !== "basic") {
    said.refuse("auth-type", `${JSON.stringify(type)} is not basic`, "AnnotationInvalid");
    return undefined;
  }
  if (said.text("auth-secret") === undefined) {
    said.refuse("auth-type", "auth-secret does not say which Secret has the users", "AnnotationInvalid");
    return undefined;
  }
  const secret = said.secret("auth-secret");
  const users = secret === undefined ? undefined : usersOf(said, secret);
  if (users === undefined) return undefined;
  if (users.size === 0) {
    said.refuse("auth-secret", `Secret ${said.text("auth-secret")} has no user`);
    return undefined;
  }
  const unusable = [...users].filter(([, hash]) => hashKind(hash) === undefined).map(([user]) => user);
  if (unusable.length === users.size) {
    said.refuse("auth-secret", `Secret ${said.text("auth-secret")} has no user with a hash that can be checked`);
  } else if (unusable.length > 0) {
    said.fault(
      "auth-secret",
      "AnnotationInvalid",
      `${unusable.slice(0, 10).join(", ")}: the hash is of no kind that htpasswd writes, or takes too long to check; ${unusable.length === 1 ? "this user" : "these users"} cannot log in`,
    );
  }
  return { realm: said.text("auth-realm")?.replaceAll(/["\\\n]/g, "") ?? "Authentication Required", users };
}

/** User and password (RFC 7617). A Secret without a type is basic authentication, too: who names one wants it. */
export const basicAuth: AnnotationGroup = {
  title: "User and password",
  annotations: [
    {
      name: "auth-type",
      value: "word",
      verdict: same,
      exceptions: { digest: closes("digest authentication cannot be done", "use basic over TLS") },
    },
    { name: "auth-secret", value: "Secret", verdict: same },
    { name: "auth-secret-type", value: "word", verdict: same },
    { name: "auth-realm", value: "text", verdict: same },
  ],
  read(said) {
    if (said.text("auth-type") === undefined && said.text("auth-secret") === undefined) return {};
    return { settings: { basicAuth: basicAuthOf(said) } };
  },
};
