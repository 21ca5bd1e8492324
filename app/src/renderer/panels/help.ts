import type { Shortcut } from '../keyboard.ts';
import { byId, el } from '../widgets/dom.ts';

/** The sheet that lists every key, made of the same table that the keyboard listens with. */
export class HelpSheet {
  private readonly dialog = byId('help-sheet', HTMLDialogElement);

  /** Fills the sheet; called once, when the shortcuts are known. */
  list(shortcuts: readonly Shortcut[]): void {
    const close = el('button', { class: 'action', text: 'Close', attrs: { type: 'button' } });
    close.addEventListener('click', () => this.dialog.close());
    const keys = el('dl', { class: 'keys' });
    for (const { label, what } of shortcuts) {
      keys.append(el('dt', {}, el('kbd', { text: label })), el('dd', { text: what }));
    }
    this.dialog.append(el('h2', { text: 'Keys', attrs: { id: 'help-title' } }), keys, close);
  }

  toggle(): void {
    if (this.dialog.open) this.dialog.close();
    else this.dialog.showModal();
  }

  get isOpen(): boolean {
    return this.dialog.open;
  }
}
