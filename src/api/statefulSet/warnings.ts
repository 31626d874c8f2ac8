import type { StatefulSet } from "../generated/types.ts";
import { claimWarnings } from "../persistentVolumeClaim/warnings.ts";

export function warnings({ spec }: StatefulSet, previous: StatefulSet | undefined): string[] {
  const limit = spec?.revisionHistoryLimit ?? 0;
  return [
    ...(spec?.volumeClaimTemplates ?? []).flatMap((claim, index) =>
      claimWarnings(claim.spec, `spec.volumeClaimTemplates[${index}]${previous === undefined ? "" : ".Spec"}`),
    ),
    ...(limit < 0
      ? ["spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended"]
      : []),
  ];
}
