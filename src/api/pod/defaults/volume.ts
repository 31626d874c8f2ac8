import type { Volume, VolumeProjection } from "../../generated/types.ts";

/** 0644, as JSON has it. */
const MODE = 0o644;
const TOKEN_SECONDS = 3600;

const withTokenDefaults = (source: VolumeProjection): VolumeProjection =>
  source.serviceAccountToken === undefined || source.serviceAccountToken.expirationSeconds
    ? source
    : { ...source, serviceAccountToken: { ...source.serviceAccountToken, expirationSeconds: TOKEN_SECONDS } };

/** A volume that names no source is an empty folder. */
export function withVolumeDefaults(volume: Volume): Volume {
  const { configMap, downwardAPI, hostPath, projected, secret } = volume;
  if (Object.keys(volume).length <= 1) return { ...volume, emptyDir: {} };
  if (configMap) return { ...volume, configMap: { ...configMap, defaultMode: configMap.defaultMode ?? MODE } };
  if (secret) return { ...volume, secret: { ...secret, defaultMode: secret.defaultMode ?? MODE } };
  if (downwardAPI) return { ...volume, downwardAPI: { ...downwardAPI, defaultMode: downwardAPI.defaultMode ?? MODE } };
  if (hostPath) return { ...volume, hostPath: { ...hostPath, type: hostPath.type ?? "" } };
  if (projected) {
    const sources = projected.sources?.map(withTokenDefaults);
    return {
      ...volume,
      projected: { ...(sources === undefined ? {} : { sources }), defaultMode: projected.defaultMode ?? MODE },
    };
  }
  return volume;
}
