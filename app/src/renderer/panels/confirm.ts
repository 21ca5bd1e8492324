import { byId, el, setText } from '../widgets/dom.ts';

interface Question {
  title: string;
  text: string;
  /** What the button says that does it. */
  yes: string;
}

/** Asks before something that cannot be undone. */
export class Confirm {
  private readonly dialog = byId('confirm-sheet', HTMLDialogElement);
  private readonly title = el('h2', { attrs: { id: 'confirm-title' } });
  private readonly text = el('p');
  private readonly yes = el('button', { class: 'action action-main', attrs: { type: 'button' } });
  private readonly no = el('button', { class: 'action', text: 'Cancel', attrs: { type: 'button' } });
  private answer: (isSure: boolean) => void = () => {};

  constructor() {
    this.dialog.append(this.title, this.text, el('div', { class: 'sheet-actions' }, this.no, this.yes));
    this.yes.addEventListener('click', () => this.dialog.close('yes'));
    this.no.addEventListener('click', () => this.dialog.close('no'));
    this.dialog.addEventListener('close', () => this.answer(this.dialog.returnValue === 'yes'));
  }

  ask({ title, text, yes }: Question): Promise<boolean> {
    setText(this.title, title);
    setText(this.text, text);
    setText(this.yes, yes);
    this.dialog.returnValue = '';
    this.dialog.showModal();
    this.no.focus();
    return new Promise((resolve) => {
      this.answer = resolve;
    });
  }
}
