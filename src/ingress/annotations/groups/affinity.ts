import type { Annotated } from "../annotations.ts";
import { usesRegex } from "../expressions.ts";
import { differently, same, type AnnotationGroup } from "../group.ts";
import type { Said } from "../said.ts";

/** RFC 6265 §4.1.1. */
const COOKIE_NAME = /^[\w!#$%&'*+.^`|~-]+$/;
/** What may stand in an attribute of a cookie. */
const ATTRIBUTE = /^[\x21-\x3a\x3c-\x7e]+$/;

const usualName = "INGRESSCOOKIE";

function nameOf(said: Said): string {
  const name = said.text("session-cookie-name");
  if (name === undefined || COOKIE_NAME.test(name)) return name ?? usualName;
  said.wrong("session-cookie-name", "the name of a cookie", `${usualName} is taken`);
  return usualName;
}

function attributeOf(said: Said, name: string, wanted: string): string | undefined {
  const text = said.text(name);
  if (text === undefined || ATTRIBUTE.test(text)) return text;
  said.wrong(name, wanted, "it is ignored");
  return undefined;
}

const secondsOf = (said: Said, name: string): number | undefined =>
  said.number(name, undefined, { wanted: "a number of seconds" });

function affinityOf(said: Said): Annotated["affinity"] {
  const path = attributeOf(said, "session-cookie-path", "the path of a cookie");
  if (path === undefined && usesRegex(said) && !said.truth("canary", false)) {
    said.fault(
      "session-cookie-path",
      "CookiePathMissing",
      'paths of this Ingress are expressions, which the path of a cookie cannot be, so session-cookie-path should be there, such as "/"; cookies of expressions are for /',
    );
  }
  return {
    path,
    name: nameOf(said),
    mode: said.word("affinity-mode", ["balanced", "persistent"], "balanced"),
    canaryBehavior: said.word("affinity-canary-behavior", ["sticky", "legacy"], "sticky"),
    domain: attributeOf(said, "session-cookie-domain", "a domain"),
    sameSite: said.word("session-cookie-samesite", ["None", "Lax", "Strict"], undefined),
    conditionalSameSiteNone: said.truth("session-cookie-conditional-samesite-none", false),
    maxAge: secondsOf(said, "session-cookie-max-age"),
    expires: secondsOf(said, "session-cookie-expires"),
    secure: said.truth("session-cookie-secure", undefined),
    changeOnFailure: said.truth("session-cookie-change-on-failure", false),
  };
}

/** Sessions that stay. */
export const affinity: AnnotationGroup = {
  title: "Sessions",
  annotations: [
    { name: "affinity", value: "word", verdict: same },
    {
      name: "affinity-mode",
      value: "word",
      verdict: differently(
        "sessions never move when endpoints are added, in balanced mode neither: new clients even out the load",
      ),
      exceptions: { persistent: same },
    },
    { name: "affinity-canary-behavior", value: "word", verdict: same },
    { name: "session-cookie-name", value: "text", verdict: same },
    { name: "session-cookie-path", value: "path", verdict: same },
    { name: "session-cookie-domain", value: "text", verdict: same },
    { name: "session-cookie-samesite", value: "word", verdict: same },
    { name: "session-cookie-conditional-samesite-none", value: "true or false", verdict: same },
    { name: "session-cookie-expires", value: "seconds", verdict: same },
    { name: "session-cookie-max-age", value: "seconds", verdict: same },
    { name: "session-cookie-secure", value: "true or false", verdict: same },
    { name: "session-cookie-change-on-failure", value: "true or false", verdict: same },
  ],
  read(said) {
    const isOn = said.word("affinity", ["cookie"], undefined) === "cookie";
    return isOn ? { affinity: affinityOf(said) } : {};
  },
};
