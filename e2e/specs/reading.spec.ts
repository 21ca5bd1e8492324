import { logText } from '../fixtures/payload.ts';
import { expect, test } from '../fixtures/test.ts';

test('an engineer pauses the page with Space, reads a past value under the pointer, and goes on', async ({
  monitor,
  service,
}) => {
  await service.post('/v1/compress?format=gzip', logText(4_000_000));
  await expect(monitor.tile('Throughput in')).toContainText('4.00 MB in all');
  await monitor.page.keyboard.press(' ');
  await expect(monitor.pause).toHaveAttribute('aria-pressed', 'true');
  await expect(monitor.staleTags.first()).toHaveText(/paused at/);
  await service.post('/v1/compress?format=gzip', logText(4_000_000));
  await expect(monitor.pause).toContainText(/Paused · [1-9]\d* new/);
  await expect(monitor.tile('Throughput in')).toContainText('4.00 MB in all');
  const box = (await monitor.chart.boundingBox())!;
  await monitor.page.mouse.move(box.x + box.width - 60, box.y + box.height / 2);
  await expect(monitor.legend).toContainText(/at \d\d:\d\d:\d\d/);
  await monitor.page.keyboard.press(' ');
  await expect(monitor.tile('Throughput in')).toContainText('8.00 MB in all');
  await expect(monitor.staleTags).toHaveCount(0);
});

test('an engineer hides the page; it stops drawing, keeps the data, and is current when it shows again', async ({
  monitor,
  service,
}) => {
  const setHidden = (isHidden: boolean) =>
    monitor.page.evaluate((value) => {
      Object.defineProperty(document, 'hidden', { configurable: true, get: () => value });
      document.dispatchEvent(new Event('visibilitychange'));
    }, isHidden);
  await setHidden(true);
  await service.post('/v1/compress?format=gzip', logText(5_000_000));
  await monitor.settle();
  await expect(monitor.tile('Throughput in')).toContainText('0 B in all');
  await setHidden(false);
  await expect(monitor.tile('Throughput in')).toContainText('5.00 MB in all');
});
