/** More of a User-Agent is not looked at; those that are meant say who they are at once. */
const LOOKED_AT = 512;

/**
 * Whether a browser takes `SameSite=None` for what it is. Those that do not take it for `Strict`, or throw the cookie away; the list is
 * Chromium's "SameSite=None: Known Incompatible Clients": every browser of iOS 12, Safari and embedded browsers of macOS 10.14,
 * Chrome and Chromium 51 to 66, UC Browser before 12.13.2.
 */
export function understandsSameSiteNone(userAgent: string | undefined): boolean {
  const agent = (userAgent ?? "").slice(0, LOOKED_AT);
  if (/\((?:iPhone|iPad|iPod)\b[^)]* OS 12[_ ]/.test(agent)) return false;
  const chromium = /Chrom(?:e|ium)\/(\d{1,4})/.exec(agent)?.[1];
  if (/\(Macintosh;[^)]*Mac OS X 10_14(?!\d)/.test(agent) && chromium === undefined) {
    const isSafari = /Version\/[^ ]+ Safari\//.test(agent);
    if (isSafari || agent.endsWith("(KHTML, like Gecko)")) return false;
  }
  const uc = /UCBrowser\/(\d{1,4})\.(\d{1,4})\.(\d{1,4})/.exec(agent);
  if (uc !== null) return isAtLeast(uc.slice(1).map(Number), [12, 13, 2]);
  return chromium === undefined || Number(chromium) < 51 || Number(chromium) > 66;
}

function isAtLeast(version: readonly number[], least: readonly number[]): boolean {
  const different = least.findIndex((part, at) => version[at] !== part);
  return different === -1 || version[different]! > least[different]!;
}
