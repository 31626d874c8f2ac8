/** A client that keeps the cookie it was given. */
export interface SessionClient {
  cookie: string | undefined;
  /** UID of the pod that its session is with. */
  home: string | undefined;
}

/** What came back to a client. */
export interface SessionAnswer {
  /** Or why there was no answer. */
  readonly status: number | string;
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
  /** Clients that got a session with another pod than the one they had one with. */
  readonly moved: number;
  /** Requests that another pod answered while the session stays: theirs was just going. */
  readonly elsewhere: number;
  /** Of both, those whose pod was not gone. */
  readonly needlessly: number;
  /** Requests without an answer of 200. */
  readonly lost: number;
  /** What there was instead, of the first of them. */
  readonly insteadOf200: number | string | undefined;
  /** Cookies that were set. */
  readonly cookies: number;
  /** Clients by the pod that answered. */
  readonly byPod: ReadonlyMap<string, number>;
}

/** How many ask at a time. */
export const TOGETHER = 16;

export type AskPod = (cookie: string | undefined, door: DoorName) => Promise<SessionAnswer>;

/** Each client asks once; `gone` says whose pod is not there any more. */
export async function askAll(
  clients: readonly SessionClient[],
  ask: AskPod,
  gone: ReadonlySet<string>,
  { door = "first" }: { readonly door?: DoorName | "each in turn" } = {},
): Promise<Round> {
  const round = { asked: clients.length, moved: 0, elsewhere: 0, needlessly: 0, lost: 0, cookies: 0 };
  let insteadOf200: Round["insteadOf200"];
  const byPod = new Map<string, number>();
  const waiting = clients.entries();
  const work = async (): Promise<void> => {
    for (const [at, client] of waiting) {
      const through = door === "each in turn" ? (at % 2 === 0 ? "first" : "second") : door;
      const { status, pod, cookie } = await ask(client.cookie, through);
      if (status !== 200 || pod === undefined) {
        round.lost += 1;
        insteadOf200 ??= status;
        continue;
      }
      byPod.set(pod, (byPod.get(pod) ?? 0) + 1);
      if (client.home !== undefined && client.home !== pod) {
        if (cookie === undefined) round.elsewhere += 1;
        else round.moved += 1;
        if (!gone.has(client.home)) round.needlessly += 1;
      }
      if (cookie === undefined) continue;
      round.cookies += 1;
      client.cookie = cookie;
      client.home = pod;
    }
  };
  await Promise.all(Array.from({ length: TOGETHER }, work));
  return { ...round, insteadOf200, byPod };
}

/** Two rounds as one. */
export const together = (one: Round, other: Round): Round => ({
  asked: one.asked + other.asked,
  moved: one.moved + other.moved,
  elsewhere: one.elsewhere + other.elsewhere,
  needlessly: one.needlessly + other.needlessly,
  lost: one.lost + other.lost,
  insteadOf200: one.insteadOf200 ?? other.insteadOf200,
  cookies: one.cookies + other.cookies,
  byPod: other.byPod,
});
