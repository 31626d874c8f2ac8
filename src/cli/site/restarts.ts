const FIRST_DELAY = 100;
const LONGEST_DELAY = 10_000;
/** Milliseconds after which a death has nothing to do with the one before. */
const LONG_LIFE = 60_000;

/** How long is waited before what died is started again: longer and longer while it dies soon. */
export interface Restarts {
  /** Resolves when it is time; `began` is when it was started, by `performance.now()`. */
  before(began: number): Promise<void>;
  /** Nothing is waited for any more. */
  cut(): void;
}

export function restarts(): Restarts {
  let delay = FIRST_DELAY;
  let wake = (): void => {};
  let isCut = false;
  return {
    before(began) {
      delay = performance.now() - began > LONG_LIFE ? FIRST_DELAY : Math.min(delay * 2, LONGEST_DELAY);
      if (isCut) return Promise.resolve();
      return new Promise((resolve) => {
        const timer = setTimeout(resolve, delay);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    },
    cut() {
      isCut = true;
      wake();
    },
  };
}
