import { logText } from '../fixtures/payload.ts';
import { expect, test } from '../fixtures/test.ts';

const PANELS = 4;

test('a person sees the page say so when the service is killed, and recover when it returns', async ({
  monitor,
  service,
}) => {
  await service.post('/v1/compress?format=gzip', logText(8_000_000));
  await expect(monitor.tile('Throughput in')).toContainText('8.00 MB in all');
  await service.kill();
  await expect(monitor.state).toHaveText(/Reconnecting/, { timeout: 2_000 });
  await expect(monitor.notice).toContainText(/Data ends at \d\d:\d\d:\d\d/);
  await expect(monitor.notice).toContainText('without a close frame');
  await expect(monitor.notice.locator('code')).toHaveText('npm start');
  await expect(monitor.staleTags).toHaveCount(PANELS);
  await expect(monitor.staleTags.first()).toHaveText(/not live: as of/);
  await expect(monitor.tile('Throughput in')).toHaveCSS('filter', 'grayscale(1)');
  await expect(monitor.tile('Throughput in')).toContainText('8.00 MB in all');

  await service.start();
  await monitor.notice.getByRole('button', { name: 'Try now' }).click();
  await expect(monitor.state).toHaveText(/Live/);
  await expect(monitor.staleTags).toHaveCount(0);
  await expect(monitor.tile('Throughput in')).toContainText('0 B in all');
  await expect(monitor.tile('Throughput in')).toHaveCSS('filter', 'none');
});

test('a person does nothing and the page finds the returned service by itself', async ({
  monitor,
  service,
}) => {
  await service.kill();
  await expect(monitor.state).toHaveText(/Reconnecting/);
  await service.start();
  await expect(monitor.state).toHaveText(/Live/, { timeout: 16_000 });
});

test('a person reads that the service restarts when it shuts down in order', async ({ monitor, service }) => {
  await service.stop();
  await expect(monitor.state).toHaveText(/Reconnecting/);
  await expect(monitor.notice).toContainText('The service is restarting');
});

test('a person sees that data stopped although the connection is still open', async ({
  monitor,
  service,
}) => {
  service.pause();
  await expect(monitor.state).toHaveText(/No data/);
  await expect(monitor.notice).toContainText('the service sends nothing');
  await expect(monitor.staleTags).toHaveCount(PANELS);
  service.resume();
  await expect(monitor.state).toHaveText(/Live/);
  await expect(monitor.staleTags).toHaveCount(0);
});
