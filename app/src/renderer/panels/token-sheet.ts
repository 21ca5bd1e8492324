import type { AppBridge } from '../../contract/ipc.ts';
import type { Services } from '../services.ts';
import { byId, el, setAttribute, setText } from '../widgets/dom.ts';
import type { Frame, Panel } from './panel.ts';

/** Asks for the admin token of the service shown. The app keeps it in the system's key store, a page forgets it. */
export class TokenSheet implements Panel {
  private readonly dialog = byId('token-sheet', HTMLDialogElement);
  private readonly button = byId('admin', HTMLButtonElement);
  private readonly word = byId('admin-word', HTMLElement);
  private readonly input = el('input', {
    class: 'text',
    attrs: { type: 'password', autocomplete: 'off', id: 'token', 'aria-describedby': 'token-hint' },
  });
  private readonly answer = el('p', { class: 'answer', attrs: { role: 'alert' } });
  private isWaiting = false;

  constructor(
    private readonly services: Services,
    private readonly app: AppBridge | undefined,
  ) {
    const use = el('button', { class: 'action action-main', text: 'Use token', attrs: { type: 'submit' } });
    const forget = el('button', { class: 'action', text: 'Forget', attrs: { type: 'button' } });
    const close = el('button', { class: 'action', text: 'Close', attrs: { type: 'button' } });
    const form = el(
      'form',
      {},
      el('label', { text: 'Token', attrs: { for: 'token' } }),
      this.input,
      this.answer,
      el('div', { class: 'sheet-actions' }, forget, close, use),
    );
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.use(this.input.value.trim());
    });
    forget.addEventListener('click', () => this.use(undefined));
    close.addEventListener('click', () => this.dialog.close());
    const kept =
      app === undefined
        ? 'This page keeps the token until it is closed.'
        : 'The token is kept in the system’s key store.';
    this.dialog.append(
      el('h2', { text: 'Admin token', attrs: { id: 'token-title' } }),
      el('p', {
        class: 'muted',
        text: `The service prints the token’s file when it starts, unless --admin-token gave one. With it you may create and remove mdevs, reset queues, answer stalls, run comparisons and see PASIDs. ${kept}`,
        attrs: { id: 'token-hint' },
      }),
      form,
    );
    this.button.addEventListener('click', () => this.open());
  }

  open(): void {
    if (this.dialog.open) return;
    this.input.value = '';
    setText(this.answer, '');
    this.dialog.showModal();
    this.input.focus();
  }

  render({ store }: Frame): void {
    const { isAdmin } = store;
    setAttribute(this.button, 'aria-pressed', String(isAdmin === true));
    setText(this.word, isAdmin === true ? 'Admin: yes' : 'Admin');
    if (!this.isWaiting || isAdmin === undefined) return;
    this.isWaiting = false;
    if (isAdmin) this.dialog.close();
    else setText(this.answer, 'The service does not know this token.');
  }

  private use(token: string | undefined): void {
    if (token === '') {
      setText(this.answer, 'Type or paste the token first.');
      return;
    }
    const { api, connection, endpoint, store } = this.services.active;
    api.token = token;
    void this.app?.saveToken(endpoint.httpOrigin, token ?? '');
    if (token === undefined) {
      store.isAdmin = undefined;
      connection.connectNow(); // rights end with the connection
      this.dialog.close();
      return;
    }
    if (connection.state.kind !== 'live') {
      setText(this.answer, 'Kept. The service is asked once it answers again.');
      return;
    }
    store.isAdmin = undefined;
    this.isWaiting = true;
    connection.ask({ type: 'auth', token });
  }
}
