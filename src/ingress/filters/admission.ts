import type { Log } from "../../observe/log.ts";
import type { RoutePlan } from "../plan/plan.ts";
import type { RequestHead } from "../request.ts";
import type { Admission, Admit } from "./step.ts";

/**
 * Steps as one: the first answer is the answer. Undefined where there is no step. A step that throws is our fault, and lets nobody in: 500.
 */
export function admission(
  steps: readonly Admit[],
  route: RoutePlan,
  log: Log,
  noted: ((request: RequestHead, answer: Admission) => Admission) | undefined,
): Admit | undefined {
  if (steps.length === 0) return undefined;
  const failed = (error: unknown): Admission => {
    log.error({ route: route.id, error }, "whether a request is let in could not be said: answered 500");
    return { status: 500 };
  };
  const later = async (pending: Promise<Admission>, next: number, request: RequestHead): Promise<Admission> => {
    let answer = await pending;
    for (let at = next; answer === undefined && at < steps.length; at += 1) answer = await steps[at]!(request);
    return answer;
  };
  const run: Admit = (request) => {
    try {
      for (let at = 0; at < steps.length; at += 1) {
        const answer = steps[at]!(request);
        if (answer instanceof Promise) return later(answer, at + 1, request).catch(failed);
        if (answer !== undefined) return answer;
      }
      return undefined;
    } catch (error) {
      return failed(error);
    }
  };
  if (noted === undefined) return run;
  return (request) => {
    const answer = run(request);
    return answer instanceof Promise ? answer.then((said) => noted(request, said)) : noted(request, answer);
  };
}
