let nextPort = 5400;

/** One that no other server here was given. */
export const freePort = (): number => nextPort++;
