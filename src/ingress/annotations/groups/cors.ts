import { same, type AnnotationGroup } from "../group.ts";
import type { Said } from "../said.ts";

const METHODS = "GET, PUT, POST, DELETE, PATCH, OPTIONS";
const HEADERS =
  "DNT,Keep-Alive,User-Agent,X-Requested-With,If-Modified-Since,Cache-Control,Content-Type,Range,Authorization";
/** 20 days. */
const MAX_AGE = 1_728_000;
const ORIGIN = /^(?:[a-z][a-z\d+.-]*:\/\/(?:\*\.)?[a-z\d.-]+(?::\d{1,5})?|null)$/i;

/** None that cannot be read lets others in: where all are wrong, nobody is allowed. */
function originsOf(said: Said): readonly string[] {
  const all = said.list("cors-allow-origin");
  if (all.length === 0 || all.includes("*")) return ["*"];
  const wrong = all.filter((origin) => !ORIGIN.test(origin));
  if (wrong.length > 0) {
    said.fault(
      "cors-allow-origin",
      "AnnotationInvalid",
      `${wrong.map((one) => JSON.stringify(one)).join(", ")}: an origin is *, https://HOST, https://*.DOMAIN or null; ${wrong.length === all.length ? "no origin is allowed" : "the others are allowed"}`,
    );
  }
  return all.filter((origin) => ORIGIN.test(origin));
}

function namesOf<Usual extends string | undefined>(said: Said, name: string, usual: Usual): string | Usual {
  const text = said.text(name);
  if (text === undefined) return usual;
  if (/^(?:[\w*-]+,?\s?)+$/.test(text)) return text;
  said.wrong(name, "a list of names with commas", usual === undefined ? "it is ignored" : `${usual} is taken`);
  return usual;
}

/** Which pages of other origins may ask (Fetch, §3.2). */
export const cors: AnnotationGroup = {
  title: "CORS",
  annotations: [
    { name: "enable-cors", value: "true or false", verdict: same },
    { name: "cors-allow-origin", value: "list", verdict: same },
    { name: "cors-allow-methods", value: "list", verdict: same },
    { name: "cors-allow-headers", value: "list", verdict: same },
    { name: "cors-expose-headers", value: "list", verdict: same },
    { name: "cors-allow-credentials", value: "true or false", verdict: same },
    { name: "cors-max-age", value: "seconds", verdict: same },
  ],
  read(said) {
    if (!said.truth("enable-cors", false)) return {};
    return {
      settings: {
        cors: {
          origins: originsOf(said),
          methods: namesOf(said, "cors-allow-methods", METHODS),
          headers: namesOf(said, "cors-allow-headers", HEADERS),
          expose: namesOf(said, "cors-expose-headers", undefined),
          credentials: said.truth("cors-allow-credentials", true),
          maxAge: said.number("cors-max-age", MAX_AGE, { wanted: "a number of seconds" }),
        },
      },
    };
  },
};
