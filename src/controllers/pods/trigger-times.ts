/** CTL-043: the earliest of what happened to each Service since its endpoints were last written. */
export interface TriggerTimes {
  note(serviceKey: string, milliseconds: number): void;
  /** Takes the time out; RFC 3339 in UTC. Whoever fails to write puts it back with `note`. */
  take(serviceKey: string): { readonly text: string; readonly milliseconds: number } | undefined;
}

export function createTriggerTimes(): TriggerTimes {
  const times = new Map<string, number>();
  return {
    note(key, milliseconds) {
      const held = times.get(key);
      if (held === undefined || milliseconds < held) times.set(key, milliseconds);
    },
    take(key) {
      const milliseconds = times.get(key);
      if (milliseconds === undefined) return undefined;
      times.delete(key);
      return { text: new Date(milliseconds).toISOString(), milliseconds };
    },
  };
}
