// Storage is refused where cookies are blocked; what was to be remembered then lasts as long as the page.

/** What was stored under `key`, or undefined for nothing, garbage and refusal. */
export function recall(key: string): unknown {
  try {
    const text = localStorage.getItem(key);
    return text === null ? undefined : (JSON.parse(text) as unknown);
  } catch {
    return undefined;
  }
}

export function remember(key: string, value: unknown): void {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // see above
  }
}
