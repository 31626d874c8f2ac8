/** A client that keeps the cookie it was given. */
export interface SessionClient {
  cookie: string | undefined;
  /** UID of the pod that its session is with. */
  home: string | undefined;
}

/** What came back to a client. */
export interface SessionAnswer {
  readonly status: number;
  /** UID of the pod that answered. */
  readonly pod: string | undefined;
  /** `NAME=VALUE`, where one was set. */
  readonly cookie: string | undefined;
}

/** Two doors are two replicas of the controller. */
export type DoorName = "first" | "second";

/** What a round of questions, one of each client, brought. */
export interface Round {
  readonly asked: number;
  /** Clients that another pod answered than the one they had a session with. */
  readonly moved: number;
  /** Of those that moved, whose pod was not gone. */
  readonly movedNeedlessly: number;
  /** Requests without an answer of 200. */
  readonly lost: number;
  /** Cookies that were set. */
  readonly cookies: number;
  /** Clients by the pod that answered. */
  readonly byPod: ReadonlyMap<string, number>;
}

export type AskPod = (cookie: string | undefined, door: DoorName) => Promise<SessionAnswer>;

/** Each client asks once, so many at a time; `gone` says whose pod is not there any more. */
export async function askAll(
  clients: readonly SessionClient[],
  ask: AskPod,
  gone: ReadonlySet<string>,
  { door = "first", together = 16 }: { readonly door?: DoorName | "each in turn"; readonly together?: number } = {},
): Promise<Round> {
  let [moved, movedNeedlessly, lost, cookies] = [0, 0, 0, 0];
  const byPod = new Map<string, number>();
  const waiting = clients.entries();
  const work = async (): Promise<void> => {
    for (const [at, client] of waiting) {
      const through = door === "each in turn" ? (at % 2 === 0 ? "first" : "second") : door;
      const answer = await ask(client.cookie, through);
      if (answer.status !== 200 || answer.pod === undefined) {
        lost += 1;
        continue;
      }
      byPod.set(answer.pod, (byPod.get(answer.pod) ?? 0) + 1);
      if (answer.cookie !== undefined) {
        cookies += 1;
        client.cookie = answer.cookie;
      }
      if (client.home !== undefined && client.home !== answer.pod) {
        moved += 1;
        if (!gone.has(client.home)) movedNeedlessly += 1;
      }
      client.home = answer.pod;
    }
  };
  await Promise.all(Array.from({ length: together }, work));
  return { asked: clients.length, moved, movedNeedlessly, lost, cookies, byPod };
}
