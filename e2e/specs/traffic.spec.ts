import type { QueueSnapshot } from '../../shared/src/telemetry.ts';
import { Load } from '../fixtures/load.ts';
import { logText } from '../fixtures/payload.ts';
import { Service } from '../fixtures/service.ts';
import { expect, test } from '../fixtures/test.ts';

const MIB = 1024 * 1024;

test('a person opens the monitor of an idle service and reads how to send the first bytes', async ({
  monitor,
  service,
}) => {
  await expect(monitor.notice).toContainText('No bytes yet');
  await expect(monitor.notice.locator('code')).toContainText(`${service.url}/v1/compress?format=gzip`);
  await expect(monitor.tile('Throughput in')).toContainText(/^Throughput in0\s*MB\/s/);
  await expect(monitor.tile('Ratio')).toContainText('–');
  await expect(monitor.faults).toContainText('No faults since the service started');
  await expect(monitor.page.locator('#facts')).toContainText('emulated');
});

test('an engineer whose processes are attached sees their bytes in the throughput, and how much of it is theirs', async ({
  monitor,
  clients,
}) => {
  clients.attached('sva', 1, 'log-shipper', 10);
  const tile = monitor.tile('Throughput in');
  await expect(tile).toContainText(/0 \+ [\d.]*[1-9][\d.]* attached/, { timeout: 15_000 });
  await expect(tile.locator('.tile-value')).not.toHaveText('0');
  await expect(monitor.notice).toBeHidden();
  await expect(monitor.legend).toContainText(/of in: attached processes [\d.]*[1-9][\d.]* MB\/s/);
  clients.http(1, 200_000, 20);
  await expect(tile).toContainText(/[\d.]*[1-9][\d.]* \+ [\d.]*[1-9][\d.]* attached/);
});

test('an operator of several workers reads what the traffic of all of them would cost in software', async ({
  page,
}) => {
  const service = new Service();
  await service.start('--workers', '2');
  const load = new Load(service, 4, 400_000);
  try {
    await page.goto(`${service.url}/monitor/?view=compare`);
    await expect(page.locator('#live-cost')).toContainText(/Sampled: \d+ pieces of this traffic/, {
      timeout: 15_000,
    });
    await expect(page.locator('.cost-value')).toHaveText(/[\d.]*[1-9]/);
  } finally {
    await load.stop();
    await service.dispose();
  }
});

test('a person posts a file and sees the queue counters and the chart move', async ({ monitor, service }) => {
  const before = await monitor.chart.screenshot();
  const file = logText(24 * MIB);
  const { status } = await service.post('/v1/compress?format=gzip', file);
  expect(status).toBe(200);
  await expect(monitor.notice).toBeHidden();
  await expect(monitor.tile('Throughput in')).toContainText('25.2 MB in all');
  await expect(monitor.tile('Software share')).toContainText('1 request · all ok');
  const { queues } = await service.get<{ queues: QueueSnapshot[] }>('/v1/queues');
  const operations = queues.reduce((sum, queue) => sum + queue.operations, 0);
  expect(operations).toBeGreaterThan(0);
  await expect.poll(() => monitor.sumOf('total')).toBe(operations);
  expect(queues.reduce((sum, queue) => sum + queue.bytesIn, 0)).toBe(file.length);
  expect(before.equals(await monitor.chart.screenshot())).toBe(false);
});

test('a person watches live load and reads rates, ratio and latency that fit each other', async ({
  monitor,
  service,
}) => {
  const load = new Load(service, 4, 2 * MIB);
  const figure = async (label: string) =>
    Number.parseFloat(
      ((await monitor.tile(label).locator('.tile-value').textContent()) ?? '').replace(',', ''),
    );
  await expect.poll(() => figure('Throughput in')).toBeGreaterThan(5);
  await monitor.page.waitForTimeout(1_500);
  await monitor.page.keyboard.press(' '); // figures of one moment
  const [bytesIn, bytesOut, ratio] = [
    await figure('Throughput in'),
    await figure('Throughput out'),
    await figure('Ratio'),
  ];
  expect(Math.abs(bytesIn / bytesOut / ratio - 1)).toBeLessThan(0.25);
  expect(Math.abs((await monitor.sumOf('in')) / bytesIn - 1)).toBeLessThan(0.25);
  await expect(monitor.legend).toContainText(/in [\d.,]+ MB\/s/);
  await expect(monitor.tile('Job latency p50 / p99')).toContainText(/[\d.]+ \/ [\d.]+\s*(µs|ms|s)/);
  await load.stop();
});

test('a person posts a corrupt file and sees one failed request and nothing that did not happen', async ({
  monitor,
  service,
}) => {
  const { status } = await service.post('/v1/decompress?format=gzip', Buffer.from('this is no gzip file'));
  expect(status).toBe(422);
  await expect(monitor.tile('Software share')).toContainText('1 of 1 failed');
  await monitor.settle();
  await expect(monitor.tile('Throughput out')).toContainText('0 B in all');
  await expect(monitor.tile('IOMMU faults')).toContainText('none since start');
  await expect(monitor.tile('Software share').locator('.tile-value')).toHaveText('0');
  await expect(monitor.faults).toContainText('No faults since the service started');
  await expect(monitor.state).toHaveText(/Live/);
});

test('a person meets garbage on the feed and the page keeps to what it knows', async ({
  page,
  service,
  complaints,
}) => {
  await page.routeWebSocket(/v1\/monitor/, (socket) => {
    const server = socket.connectToServer();
    server.onMessage((message) => {
      for (const frame of ['{"type":"sample"', '{"type":"sample","sample":{}}', '[]', '{"type":"later"}']) {
        socket.send(frame);
      }
      socket.send(message);
    });
  });
  await page.goto(`${service.url}/monitor/`);
  await service.post('/v1/compress?format=gzip', logText(3 * MIB));
  await expect(page.getByRole('article', { name: 'Throughput in' })).toContainText('3.15 MB in all');
  await expect(page.locator('#state')).toHaveText(/Live/);
  expect(complaints).toEqual([]);
});
