import { checkSubdomain } from "../meta/names.ts";

/** How the metadata of all workloads are judged. */
export const WORKLOAD_META = { namespaced: true, checkName: checkSubdomain };
