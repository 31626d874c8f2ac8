import type { Answer } from "../request.ts";
import type { RouteSettings } from "../settings/settings.ts";
import type { SourceVerdict } from "./sources.ts";
import type { Admission, Admit } from "./step.ts";

const FORBIDDEN: Answer = { status: 403 };

/** Only these say that somebody has no leave; any other answer says that it cannot be known. */
const isRefusal = ({ status }: Answer): boolean => status === 401 || status === 403 || status === 302;

/** `settings.satisfy`: what is asked of a client before preflights and rates (`atDoor`), and after (`access`). */
export function satisfying(
  satisfy: RouteSettings["satisfy"],
  sources: ((client: string) => SourceVerdict) | undefined,
  auths: readonly Admit[],
): { readonly atDoor: readonly Admit[]; readonly access: readonly Admit[] } {
  if (satisfy === "all" || auths.length === 0 || (sources === undefined && auths.length === 1)) {
    const door: Admit | undefined =
      sources === undefined ? undefined : ({ client }) => (sources(client) === "denied" ? FORBIDDEN : undefined);
    return { atDoor: door === undefined ? [] : [door], access: auths };
  }
  const any = async (request: Parameters<Admit>[0]): Promise<Admission> => {
    let refusal: Answer | undefined;
    for (const auth of auths) {
      const answer = await auth(request);
      if (answer === undefined) return undefined;
      if (!isRefusal(answer)) return answer;
      // Of several the one that tells how to be let in.
      if (refusal === undefined || refusal.status === 403) refusal = answer;
    }
    return refusal;
  };
  return { atDoor: [], access: [(request) => (sources?.(request.client) === "granted" ? undefined : any(request))] };
}
