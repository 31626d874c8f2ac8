/** How often a test tries: the long count under `npm run soak`, else the short one. */
export const times = (short: number, long: number): number => (process.env["FAIRLEAD_SOAK"] === "1" ? long : short);
