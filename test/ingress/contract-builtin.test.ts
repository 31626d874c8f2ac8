import { ingressContract } from "./contract/contract.ts";
import { builtin } from "./lab/engines/builtin.ts";

ingressContract(builtin);
