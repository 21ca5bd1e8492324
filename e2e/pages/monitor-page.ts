import { expect, type Locator, type Page } from '@playwright/test';

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

  tile(label: string): Locator {
    return this.page.getByRole('article', { name: label });
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
