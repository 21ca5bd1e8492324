import { readdirSync, readFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { gzipSync } from 'node:zlib';
import type { CDPSession, Page } from '@playwright/test';
import { expect, test } from '../fixtures/test.ts';

// npm run measure:monitor prints the figures of docs/monitor.md. WARPDRIVE_MEASURE_SECONDS shortens the windows.
const SECONDS = Number(process.env['WARPDRIVE_MEASURE_SECONDS'] ?? 60);
const SERVICE_TURNS = 5;
const FLOOD_PER_SEC = 10_000;
const FLOOD_SECONDS = 10;
/** Numbers left out in the middle of the flood, as the feed does when it must: the page counts them. */
const FLOOD_SKIPPED = 1_234;
const HOUR_SAMPLES = 4 * 3600;
test.describe.configure({ mode: 'serial', timeout: 600_000 });

const say = (what: string, value: string) => console.log(`| ${what} | ${value} |`);
const median = (values: number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

async function metrics(cdp: CDPSession): Promise<Record<string, number>> {
  const { metrics: list } = await cdp.send('Performance.getMetrics');
  return Object.fromEntries(list.map(({ name, value }) => [name, value]));
}

async function devtools(page: Page): Promise<CDPSession> {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('Performance.enable');
  return cdp;
}

test('machine', () => {
  const [cpu] = cpus();
  say(
    'machine',
    `${cpus().length} × ${cpu?.model}, Node ${process.versions.node}, load ${loadavg()[0]?.toFixed(1)}, ${new Date().toISOString().slice(0, 10)}`,
  );
});

test('size and first paint', async ({ page, service }) => {
  const gzipped = (name: string) => gzipSync(readFileSync(`dist/app/renderer/${name}`), { level: 9 }).length;
  say(
    'JS, gzip',
    `${(gzipped('main.js') / 1000).toFixed(0)} kB (CSS ${(gzipped('style.css') / 1000).toFixed(0)} kB)`,
  );
  const paints: number[] = [];
  for (let i = 0; i < 5; i++) {
    await page.goto('about:blank');
    await page.goto(`${service.url}/monitor/`);
    await expect(page.locator('#state')).toHaveText(/Live/);
    paints.push(
      await page.evaluate(
        () => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Number.NaN,
      ),
    );
  }
  say('first contentful paint, median of 5', `${median(paints).toFixed(0)} ms`);
});

test.describe('64 queues', () => {
  test.use({ flags: ['--queues', '64'] });

  test('CPU of the renderer and of the service', async ({ monitor, service, clients }) => {
    const { page } = monitor;
    clients.http(4, 30_000, 5);
    await expect(monitor.queueRows).toHaveCount(64);
    const cdp = await devtools(page);
    for (const view of ['overview', 'queues', 'iommu', 'charts', 'compare', 'alarms', 'all'] as const) {
      await monitor.show(view);
      if (view === 'queues') await monitor.queueRows.first().click();
      await page.waitForTimeout(3_000);
      const before = await metrics(cdp);
      const seconds = view === 'all' || view === 'overview' ? SECONDS : SECONDS / 4;
      await page.waitForTimeout(seconds * 1000);
      const after = await metrics(cdp);
      // thread time is CPU time; task and script durations are wall time, longer where other processes want the core
      const share = (name: string) => (((after[name] ?? 0) - (before[name] ?? 0)) / seconds) * 100;
      say(
        `renderer, 64 queues, 4 samples/s, view ${view}`,
        `${share('ThreadTime').toFixed(1)} % of a core (tasks ${share('TaskDuration').toFixed(1)} %, script ${share('ScriptDuration').toFixed(1)} %)`,
      );
    }
    await clients.end();
    // in turns, because what the service collects after the load is no cost of the monitor
    const turns: { cpu: number; rss: number }[] = [];
    for (let turn = 0; turn < SERVICE_TURNS; turn++) {
      await page.goto('about:blank');
      await page.waitForTimeout(2_000);
      const idle = await serviceCost(service.pid, SECONDS / SERVICE_TURNS);
      await monitor.open(service.url);
      await page.waitForTimeout(2_000);
      const watched = await serviceCost(service.pid, SECONDS / SERVICE_TURNS);
      turns.push({ cpu: watched.cpu - idle.cpu, rss: watched.rss - idle.rss });
    }
    say(
      `service, one monitor, median of ${SERVICE_TURNS} turns`,
      `${(median(turns.map(({ cpu }) => cpu)) * 100).toFixed(2)} % of a core, ${(median(turns.map(({ rss }) => rss)) / 1048576).toFixed(1)} MiB`,
    );
  });
});

test('fault to screen', async ({ monitor, service, clients }) => {
  const { page } = monitor;
  await monitor.show('iommu');
  await page.evaluate(() => {
    const shown: [number, number][] = [];
    Object.assign(window, { shown });
    new MutationObserver(() => {
      const seq = Number(/#(\d+)/.exec(document.querySelector('.fault-detail')?.textContent ?? '')?.[1]);
      if (seq > (shown.at(-1)?.[0] ?? 0)) requestAnimationFrame(() => shown.push([seq, Date.now()]));
    }).observe(document.querySelector('#faults')!, { subtree: true, childList: true, characterData: true });
  });
  clients.broken(300, 40);
  await expect
    .poll(async () => (await service.get<{ faults: unknown[] }>('/v1/faults')).faults.length, {
      timeout: 60_000,
    })
    .toBe(40);
  await monitor.settle();
  const shown = (await page.evaluate(() => Reflect.get(window, 'shown'))) as [number, number][];
  const { faults } = await service.get<{ faults: { seq: number; atMs: number }[] }>('/v1/faults');
  const delays = shown.flatMap(([seq, atMs]) => {
    const fault = faults.find((one) => one.seq === seq);
    return fault === undefined ? [] : [atMs - fault.atMs];
  });
  expect(delays.length).toBeGreaterThan(10);
  say(
    `fault → screen, ${delays.length} faults`,
    `median ${median(delays)} ms, slowest ${Math.max(...delays)} ms`,
  );
});

test.describe('flood', () => {
  test.use({ bypassCSP: true }); // the flood comes from a worker of the page's own

  test('10 000 faults a second', async ({ page, service }) => {
    await page.addInitScript(hookSocket);
    await page.goto(`${service.url}/monitor/?view=iommu`);
    await expect(page.locator('#state')).toHaveText(/Live/);
    await page.evaluate(
      ({ source, perSec, seconds, skipped }) => {
        const latencies: number[] = [];
        const longTasks: number[] = [];
        const state = { latencies, longTasks, isOver: false };
        Object.assign(window, { state });
        new PerformanceObserver((list) =>
          longTasks.push(...list.getEntries().map(({ duration }) => duration)),
        ).observe({ type: 'longtask' });
        document.addEventListener('keydown', (event) => {
          const from = event.timeStamp;
          requestAnimationFrame(() => setTimeout(() => latencies.push(performance.now() - from)));
        });
        const worker = new Worker(URL.createObjectURL(new Blob([`(${source})(self)`])));
        const receive = Reflect.get(window, 'receive') as (data: string) => void;
        worker.addEventListener('message', ({ data }: MessageEvent<string>) => {
          if (data === 'over') state.isOver = true;
          else receive(data);
        });
        worker.postMessage({ perSec, seconds, skipped });
      },
      {
        source: floodWorker.toString(),
        perSec: FLOOD_PER_SEC,
        seconds: FLOOD_SECONDS,
        skipped: FLOOD_SKIPPED,
      },
    );
    for (let i = 0; i < 30; i++) {
      await page.keyboard.press(i % 2 === 0 ? '1' : '3');
      await page.waitForTimeout(300);
    }
    type State = { isOver: boolean; latencies: number[]; longTasks: number[] };
    const state = () => page.evaluate(() => Reflect.get(window, 'state') as State);
    await expect.poll(async () => (await state()).isOver, { timeout: 60_000 }).toBe(true);
    const note = page.locator('#faults-note');
    await expect(note).toContainText((FLOOD_PER_SEC * FLOOD_SECONDS).toLocaleString('en-US'));
    await expect(note).toContainText(`${FLOOD_SKIPPED.toLocaleString('en-US')} not sent`);
    const { latencies, longTasks } = await state();
    const slowest = (values: number[]) => Math.max(0, ...values).toFixed(0);
    say(
      '10 000 faults/s for 10 s: input → paint',
      `median ${median(latencies).toFixed(0)} ms, slowest of ${latencies.length} ${slowest(latencies)} ms, longest task ${slowest(longTasks)} ms; the page says “${await note.textContent()}”`,
    );
  });
});

test('one hour of samples', async ({ page, service }) => {
  await page.addInitScript(hookSocket);
  await page.goto(`${service.url}/monitor/?view=charts`);
  await page.waitForFunction(() => Reflect.has(window, 'lastSample')); // a sample to make the others of
  const cdp = await devtools(page);
  const feed = (count: number) =>
    page.evaluate(async (samples) => {
      const inject = Reflect.get(window, 'inject') as (message: unknown) => void;
      const last = Reflect.get(window, 'lastSample') as {
        sample: { atMs: number; queues: object[]; devices: object[]; totals: Record<string, number> };
      };
      for (let i = 0; i < samples; i++) {
        const { sample } = structuredClone(last);
        const clock = Reflect.get(window, 'clockMs') ?? sample.atMs + 1e7;
        Object.assign(window, { clockMs: clock + 250 });
        sample.atMs = clock + 250;
        sample.totals['bytesIn'] = (clock % 1e9) * 1e3;
        sample.queues = Array.from({ length: 64 }, (_, q) => ({
          ...sample.queues[0],
          id: `hisi_zip-0/${q}`,
          qpId: q,
          operations: i * (q + 1),
          bytesIn: i * 1e5,
          latencyUs: { p50: 100 + q, p99: 900 + q },
        }));
        inject({ ...last, sample });
        if (i % 40 === 0) await new Promise((next) => requestAnimationFrame(next));
      }
    }, count);
  const heap = async () => {
    await cdp.send('HeapProfiler.enable');
    await cdp.send('HeapProfiler.collectGarbage');
    return ((await metrics(cdp))['JSHeapUsedSize'] ?? 0) / 1048576;
  };
  await feed(HOUR_SAMPLES / 4); // warm-up: all rings of all queues exist
  const heaps = [await heap()];
  for (let quarter = 0; quarter < 4; quarter++) {
    await feed(HOUR_SAMPLES / 4);
    heaps.push(await heap());
  }
  say(
    'heap over one hour of samples, 64 queues, after each quarter',
    `${heaps.map((mib) => mib.toFixed(1)).join(' → ')} MiB`,
  );
});

/** Runs in a worker: each fault is a message of its own, as each frame of a socket is, at an even rate. */
function floodWorker(scope: Pick<Worker, 'addEventListener' | 'postMessage'>): void {
  scope.addEventListener(
    'message',
    ({ data: plan }: MessageEvent<{ perSec: number; seconds: number; skipped: number }>) => {
      const total = plan.perSec * plan.seconds;
      const startedAt = performance.now();
      let sent = 0;
      const flood = () => {
        const due = Math.min(total, ((performance.now() - startedAt) / 1000) * plan.perSec);
        for (; sent < due; sent++) {
          const fault = {
            seq: sent + 1 + (sent < total / 2 ? 0 : plan.skipped),
            atMs: Date.now(),
            device: 'hisi_zip-0',
            streamId: 0x7500,
            iova: `0x${(sent * 4096).toString(16)}`,
            access: 'read',
            event: 'F_TRANSLATION',
            reason: 'not mapped',
            outcome: 'aborted',
            advice: 'Map it.',
            kernelLine: 'event: F_TRANSLATION',
          };
          scope.postMessage(JSON.stringify({ type: 'fault', fault }));
        }
        if (sent < total) setTimeout(flood, 5);
        else scope.postMessage('over');
      };
      flood();
    },
  );
}

/** Gives the page's socket a back door: `receive(text)` and `inject(message)` arrive as if the service had sent them. */
function hookSocket(): void {
  const original = window.WebSocket;
  window.WebSocket = class extends original {
    constructor(url: string | URL, protocols?: string | string[]) {
      super(url, protocols);
      const receive = (data: string) => this.dispatchEvent(new MessageEvent('message', { data }));
      Object.assign(window, { receive, inject: (message: unknown) => receive(JSON.stringify(message)) });
      this.addEventListener('message', (event) => {
        const message = JSON.parse(String(event.data)) as { type: string };
        if (message.type === 'sample') Object.assign(window, { lastSample: message });
      });
    }
  };
}

/**
 * Share of a core over some seconds and resident bytes at their end, from /proc. The scheduler's own nanoseconds of all
 * threads, because the clock ticks of /proc/PID/stat catch work that comes with a timer too often or never.
 */
async function serviceCost(pid: number, seconds: number): Promise<{ cpu: number; rss: number }> {
  const nanoseconds = () =>
    readdirSync(`/proc/${pid}/task`).reduce(
      (sum, tid) => sum + Number(readFileSync(`/proc/${pid}/task/${tid}/schedstat`, 'utf8').split(' ')[0]),
      0,
    );
  const before = nanoseconds();
  await new Promise((done) => setTimeout(done, seconds * 1000));
  const rssPages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]);
  return { cpu: (nanoseconds() - before) / 1e9 / seconds, rss: rssPages * 4096 };
}
