import { type Endpoint, endpointOf, linkTo, MAX_SERVICES } from '../connection/endpoint.ts';
import type { Services } from '../services.ts';
import { SERVICES_KEY } from '../start.ts';
import { byId, el, setText } from '../widgets/dom.ts';
import { remember } from '../widgets/storage.ts';

/** Which services the page watches. A change opens the page again, because its content policy names each service. */
export class ServicesSheet {
  private readonly dialog = byId('services-sheet', HTMLDialogElement);
  private readonly list = el('ul', { class: 'choices' });
  private readonly input = el('input', {
    class: 'text',
    attrs: {
      type: 'text',
      id: 'service-url',
      placeholder: 'http://127.0.0.1:8081 or host:port',
      autocomplete: 'off',
      spellcheck: 'false',
    },
  });
  private readonly answer = el('p', { class: 'answer', attrs: { role: 'alert' } });

  constructor(private readonly services: Services) {
    const add = el('button', { class: 'action action-main', text: 'Add', attrs: { type: 'submit' } });
    const close = el('button', { class: 'action', text: 'Close', attrs: { type: 'button' } });
    close.addEventListener('click', () => this.dialog.close());
    const form = el(
      'form',
      {},
      el('label', { text: 'Address of a service', attrs: { for: 'service-url' } }),
      this.input,
      this.answer,
      el('div', { class: 'sheet-actions' }, close, add),
    );
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.add();
    });
    this.dialog.append(
      el('h2', { text: 'Services', attrs: { id: 'services-title' } }),
      this.list,
      form,
      el('p', {
        class: 'muted',
        text: `A service answers pages of other origins only if it was told to: start it with --allow-origin ${location.origin}`,
      }),
    );
    byId('services-button', HTMLButtonElement).addEventListener('click', () => this.open());
  }

  open(): void {
    if (this.dialog.open) return;
    setText(this.answer, '');
    this.list.replaceChildren(
      ...this.services.list.map(({ endpoint, connection }) => {
        const remove = el('button', {
          class: 'action',
          text: 'Remove',
          attrs: { type: 'button', 'aria-label': `Remove ${endpoint.label}` },
        });
        remove.disabled = this.services.list.length < 2;
        remove.addEventListener('click', () =>
          this.watch(this.endpoints().filter((one) => one !== endpoint)),
        );
        return el(
          'li',
          {},
          el('b', { text: endpoint.label }),
          el('span', { class: 'muted', text: connection.state.kind }),
          remove,
        );
      }),
    );
    this.dialog.showModal();
    this.input.focus();
  }

  private endpoints(): Endpoint[] {
    return this.services.list.map(({ endpoint }) => endpoint);
  }

  private add(): void {
    const endpoint = endpointOf(this.input.value);
    if (endpoint === undefined)
      setText(this.answer, `“${this.input.value}” is no address such as http://127.0.0.1:8081`);
    else if (this.endpoints().some(({ httpOrigin }) => httpOrigin === endpoint.httpOrigin))
      setText(this.answer, `${endpoint.label} is watched already.`);
    else if (this.endpoints().length >= MAX_SERVICES)
      setText(this.answer, `A page watches at most ${MAX_SERVICES} services.`);
    else this.watch([...this.endpoints(), endpoint]);
  }

  private watch(endpoints: readonly Endpoint[]): void {
    remember(
      SERVICES_KEY,
      endpoints.map(({ httpOrigin }) => httpOrigin),
    );
    location.assign(linkTo(location.href, endpoints));
  }
}
