import type { Service } from "../generated/types.ts";

/**
 * An alias without `internalTrafficPolicy`, which means nothing there and is never shown (SVC-043). Only a policy that could be
 * one is taken away: any other is left for validation to refuse (SVC-091).
 */
export function withoutUnusedPolicy(service: Service): Service {
  const policy = service.spec?.internalTrafficPolicy;
  if (service.spec?.type !== "ExternalName" || (policy !== "Cluster" && policy !== "Local")) return service;
  const { internalTrafficPolicy: _, ...spec } = service.spec;
  return { ...service, spec };
}
