import type { Pod } from "../../api/generated/types.ts";
import { isReady } from "../pods/ready.ts";
import { readySince } from "./available.ts";
import { controllerUid } from "./reference.ts";

/** What of a pod its owner decides by, as one word to compare. */
const facts = ({ metadata, spec, status }: Pod): string =>
  JSON.stringify([
    metadata.uid,
    controllerUid({ metadata }),
    metadata.deletionTimestamp !== undefined,
    metadata.labels,
    metadata.finalizers,
    spec?.nodeName,
    status?.phase,
    [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])].map(
      ({ restartCount }) => restartCount,
    ),
  ]);

/** Whether the step from one state of a pod to the next can change what its owner does or counts. */
export const ownedPodMatters = (previous: Pod, next: Pod): boolean =>
  isReady(previous) !== isReady(next) || readySince(previous) !== readySince(next) || facts(previous) !== facts(next);
