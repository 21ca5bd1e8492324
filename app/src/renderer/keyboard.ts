export interface Shortcut {
  /** `KeyboardEvent.key` values that trigger it. */
  keys: readonly string[];
  /** How the help sheet writes the keys. */
  label: string;
  what: string;
  run(): void;
}

const isTyping = (target: EventTarget | null) =>
  target instanceof HTMLInputElement ||
  target instanceof HTMLTextAreaElement ||
  target instanceof HTMLSelectElement;

/** A sheet that closes keeps the focus until the next frame; a key pressed in between is meant for the page. */
const isInClosedSheet = (target: EventTarget | null) =>
  target instanceof Element && target.closest('dialog:not([open])') !== null;

/** Runs shortcuts of the page; while someone types into a field, only Escape is one. */
export function listenForShortcuts(shortcuts: readonly Shortcut[], signal: AbortSignal): void {
  const onKey = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = isInClosedSheet(event.target) ? null : event.target;
    if (isTyping(target) && event.key !== 'Escape') return;
    if (event.key === ' ' && target instanceof HTMLButtonElement) return; // Space presses the button
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const sheet = document.querySelector<HTMLDialogElement>('dialog[open]');
    if (sheet !== null && key !== '?') {
      if (key !== 'Escape') return;
      event.preventDefault();
      sheet.close();
      return; // the page behind a sheet does not listen
    }
    const shortcut = shortcuts.find(({ keys }) => keys.includes(key));
    if (shortcut === undefined) return;
    event.preventDefault();
    shortcut.run();
  };
  document.addEventListener('keydown', onKey, { signal });
}
