/** Who asks, as every judge of a request sees it (Kubernetes `user.Info`). */
export interface Identity {
  readonly user: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  /** More facts about the user, e.g. the pod that a ServiceAccount's token is bound to. */
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** The group of everybody who said who they are. */
export const AUTHENTICATED = "system:authenticated";
/** The group of those who did not. */
export const UNAUTHENTICATED = "system:unauthenticated";
/** The group that may do everything, whatever the roles say. */
export const MASTERS = "system:masters";

export const ANONYMOUS: Identity = { user: "system:anonymous", groups: [UNAUTHENTICATED] };
