import AxeBuilder from '@axe-core/playwright';
import { expect, type Locator, type Page } from '@playwright/test';
import { ADMIN_TOKEN } from '../fixtures/service.ts';

const VIEW_KEYS = {
  overview: '1',
  queues: '2',
  iommu: '3',
  charts: '4',
  compare: '5',
  mdevs: '6',
  alarms: '7',
  all: '0',
} as const;

/** The monitor as a person meets it. */
export class MonitorPage {
  readonly state: Locator;
  readonly notice: Locator;
  readonly staleTags: Locator;
  readonly legend: Locator;
  readonly chart: Locator;
  readonly queueRows: Locator;
  readonly filter: Locator;
  readonly faults: Locator;
  readonly pause: Locator;

  constructor(readonly page: Page) {
    this.state = page.locator('#state');
    this.notice = page.locator('#notice');
    this.staleTags = page.locator('.stale-tag:not(:empty):visible');
    this.legend = page.locator('#legend');
    this.chart = page.locator('#throughput');
    this.queueRows = page.locator('#queues tbody tr');
    this.filter = page.getByRole('searchbox', { name: 'Filter queues' });
    this.faults = page.locator('#faults');
    this.pause = page.locator('#pause');
  }

  async open(serviceUrl: string): Promise<void> {
    await this.page.goto(`${serviceUrl}/monitor/`);
    await expect(this.state).toHaveText(/Live/);
  }

  /** Shows a view by its key. */
  async show(view: keyof typeof VIEW_KEYS): Promise<void> {
    await this.page.keyboard.press(VIEW_KEYS[view]);
    await expect(this.page.locator('body')).toHaveAttribute('data-view', view);
  }

  /** Gives the admin token as a person does. */
  async becomeAdmin(): Promise<void> {
    await this.page.keyboard.press('a');
    await this.page.getByLabel('Token', { exact: true }).fill(ADMIN_TOKEN);
    await this.page.getByRole('button', { name: 'Use token' }).click();
    await expect(this.page.locator('#admin')).toHaveText(/Admin: yes/);
  }

  /**
   * What axe finds wrong with what is in sight.
   * @param within a part of the page
   * @param rules only these
   */
  async axe(within = 'html', rules?: string[]): Promise<string[]> {
    const builder = new AxeBuilder({ page: this.page }).include(within);
    if (rules === undefined) builder.withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']);
    else builder.withRules(rules);
    const { violations } = await builder.analyze();
    return violations.map(
      ({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`,
    );
  }

  tile(label: string): Locator {
    return this.page.locator('#headline').getByRole('article', { name: label });
  }

  /** Text of one column, top to bottom. */
  async column(key: string): Promise<string[]> {
    return this.page.locator(`#queues td.col-${key}`).allInnerTexts();
  }

  async sumOf(key: string): Promise<number> {
    const texts = await this.column(key);
    return texts.reduce((sum, text) => sum + Number(text.replaceAll(',', '')), 0);
  }

  header(label: string): Locator {
    return this.page.locator('#queues th').filter({ hasText: label });
  }

  /** Waits until the next readings were drawn. */
  async settle(): Promise<void> {
    await this.page.waitForTimeout(700);
  }
}
