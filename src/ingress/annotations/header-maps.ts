import type { Header } from "../settings/settings.ts";
import type { Said } from "./said.ts";

/** RFC 9110 §5.1. */
export const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]+$/;
/** Printable, spaces and tabs within, and what is beyond ASCII as bytes (RFC 9110 §5.5). */
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** The headers that a ConfigMap has, by name. One that is no header closes the route, for it may have been a protection. */
export function headersOf(said: Said, name: string): readonly Header[] {
  const map = said.configMap(name);
  const headers: Header[] = [];
  for (const [header, value] of Object.entries(map?.data ?? {})) {
    if (!HEADER_NAME.test(header) || !HEADER_VALUE.test(value)) {
      const what = HEADER_NAME.test(header) ? `the value of ${header}` : `key ${JSON.stringify(header)}`;
      said.refuse(name, `ConfigMap ${said.text(name)}: ${what} cannot be sent as a header`, "AnnotationInvalid");
      continue;
    }
    headers.push({ name: header, value });
  }
  return headers.toSorted((one, other) => (one.name < other.name ? -1 : 1));
}
