import type { PersistentVolumeClaim, PersistentVolumeClaimSpec } from "../generated/types.ts";
import { isWhole, parseQuantity, quantityText } from "../meta/quantity.ts";

const CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class";

/** Of a claim, wherever it stands: half a byte is nothing. */
export const claimWarnings = (spec: PersistentVolumeClaimSpec | undefined, field: string): string[] =>
  (["requests", "limits"] as const).flatMap((part) => {
    const text = spec?.resources?.[part]?.["storage"];
    return text === undefined || isWhole(parseQuantity(text))
      ? []
      : [
          `${field}.resources.${part}[storage]: fractional byte value ${JSON.stringify(quantityText(parseQuantity(text)))} is invalid, must be an integer`,
        ];
  });

export const warnings = ({ metadata, spec }: PersistentVolumeClaim): string[] => [
  ...(metadata.annotations?.[CLASS_ANNOTATION] === undefined
    ? []
    : [`metadata.annotations[${CLASS_ANNOTATION}]: deprecated since v1.8; use "storageClassName" attribute instead`]),
  ...claimWarnings(spec, "spec"),
];
