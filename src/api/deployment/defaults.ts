import type { Deployment, DeploymentSpec, DeploymentStrategy } from "../generated/types.ts";
import { withTemplateDefaults } from "../template/defaults.ts";

const REPLICAS = 1;
const HISTORY = 10;
const PROGRESS_SECONDS = 600;
const SHARE = "25%";

function withStrategyDefaults(strategy: DeploymentStrategy | undefined): DeploymentStrategy {
  const type = strategy?.type || "RollingUpdate";
  if (type !== "RollingUpdate") return { ...strategy, type };
  const { maxSurge = SHARE, maxUnavailable = SHARE } = strategy?.rollingUpdate ?? {};
  return { ...strategy, type, rollingUpdate: { maxSurge, maxUnavailable } };
}

export function defaults(object: Deployment): Deployment {
  const said: DeploymentSpec | undefined = object.spec;
  return {
    ...object,
    spec: {
      // A missing selector is refused, which this must not hide.
      ...(said ?? ({} as DeploymentSpec)),
      replicas: said?.replicas ?? REPLICAS,
      template: withTemplateDefaults(said?.template),
      strategy: withStrategyDefaults(said?.strategy),
      revisionHistoryLimit: said?.revisionHistoryLimit ?? HISTORY,
      progressDeadlineSeconds: said?.progressDeadlineSeconds ?? PROGRESS_SECONDS,
    },
  };
}
