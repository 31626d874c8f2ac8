import type { KubeObject } from "../../api/object.ts";

/** What is wrong with an object's claims, as an event tells it (SVC-275, SVC-276, SVC-278). */
export interface Complaint {
  readonly about: KubeObject;
  readonly reason: string;
  readonly action: string;
  readonly message: string;
}

/** What a look found: something to tell, something to put right, or both. */
export interface Finding<Repair> {
  readonly complaint?: Complaint;
  readonly repair?: Repair;
}
