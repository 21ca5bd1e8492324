import type { MdevSnapshot, MdevTypeSnapshot } from '../../../../shared/src/telemetry.ts';
import { el, setText } from '../widgets/dom.ts';

interface TypeView {
  root: HTMLElement;
  facts: HTMLElement;
}

/** What each parent offers, with what is free of it. */
export class MdevTypes {
  readonly root = el('div', { class: 'mdev-types' });
  private readonly views = new Map<string, TypeView>();

  constructor(private readonly onCreate: (type: string) => void) {}

  render(types: readonly MdevTypeSnapshot[], mdevs: readonly MdevSnapshot[], isAdmin: boolean): void {
    for (const type of types) {
      let view = this.views.get(type.id);
      if (view === undefined) {
        view = this.create(type);
        this.views.set(type.id, view);
        this.root.append(view.root);
      }
      const used = mdevs.filter((mdev) => mdev.type === type.id).length;
      setText(
        view.facts,
        `${type.availableInstances} free, ${used} in use · queue ${type.policy === 'on-create' ? 'at create' : 'at open'} · domain ${type.domain}${isAdmin ? '' : ' · create needs the admin token'}`,
      );
    }
  }

  private create(type: MdevTypeSnapshot): TypeView {
    const facts = el('p', { class: 'muted' });
    const button = el('button', {
      class: 'action',
      text: 'Create',
      attrs: { type: 'button', 'aria-label': `Create ${type.id}` },
    });
    button.addEventListener('click', () => this.onCreate(type.id));
    const title = el('h3', {}, `${type.parent} · ${type.name} `, el('code', { text: type.id }));
    return { root: el('article', { class: 'mdev-type' }, title, button, facts), facts };
  }
}
