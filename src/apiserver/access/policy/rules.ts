import type { PolicyRule } from "../../../api/generated/types.ts";

export const READ = "get list watch";
export const WRITE = "create update patch delete deletecollection";
export const READ_WRITE = `${READ} ${WRITE}`;

/** The core group, whose name is empty, among words. */
const CORE = "core";

const words = (text: string): string[] => text.split(" ");

/** A rule about resources, in words with spaces between: `allow("get list", "core", "pods services")`. */
export const allow = (verbs: string, groups: string, resources: string, names?: string): PolicyRule => ({
  verbs: words(verbs),
  apiGroups: words(groups).map((group) => (group === CORE ? "" : group)),
  resources: words(resources),
  ...(names === undefined ? {} : { resourceNames: words(names) }),
});

/** A rule about URLs that name no resource. */
export const allowUrls = (verbs: string, urls: string): PolicyRule => ({
  verbs: words(verbs),
  nonResourceURLs: words(urls),
});

/** Whoever does something may say so. */
export const TELL = allow("create update patch", "core events.k8s.io", "events");
