import type { Job, JobSpec } from "../generated/types.ts";
import { withTemplateDefaults } from "../template/defaults.ts";

const BACKOFF_LIMIT = 6;
const INT32_MAXIMUM = 2 ** 31 - 1;

const isEmpty = (labels: Record<string, string> | undefined): boolean => Object.keys(labels ?? {}).length === 0;

export function defaults(object: Job): Job {
  const { metadata } = object;
  const said: JobSpec = { ...(object.spec ?? ({} as JobSpec)), template: withTemplateDefaults(object.spec?.template) };
  const isSingle = said.completions === undefined && said.parallelism === undefined;
  const { labels } = said.template.metadata ?? {};
  const patterns = said.podFailurePolicy?.rules.map((rule) => ({
    ...rule,
    ...(rule.onPodConditions === undefined
      ? {}
      : { onPodConditions: rule.onPodConditions.map((pattern) => ({ ...pattern, status: pattern.status || "True" })) }),
  }));
  return {
    ...object,
    metadata: isEmpty(metadata.labels) && !isEmpty(labels) ? { ...metadata, labels } : metadata,
    spec: {
      ...said,
      ...(isSingle ? { completions: 1 } : {}),
      parallelism: said.parallelism ?? 1,
      backoffLimit: said.backoffLimit ?? (said.backoffLimitPerIndex === undefined ? BACKOFF_LIMIT : INT32_MAXIMUM),
      completionMode: said.completionMode ?? "NonIndexed",
      suspend: said.suspend ?? false,
      ...(patterns === undefined ? {} : { podFailurePolicy: { ...said.podFailurePolicy, rules: patterns } }),
      podReplacementPolicy:
        said.podReplacementPolicy ?? (said.podFailurePolicy === undefined ? "TerminatingOrFailed" : "Failed"),
      manualSelector: said.manualSelector ?? false,
    },
  };
}
