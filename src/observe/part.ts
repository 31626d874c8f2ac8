/** A running part of Fairlead. */
export interface Part {
  /** Ends its work and its watches; what it made in the kernel stays unless the part says otherwise. */
  stop(): Promise<void>;
}
