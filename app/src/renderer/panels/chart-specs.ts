import type { Channel } from '../store/monitor-store.ts';
import { duration, figure, percent } from '../widgets/format.ts';

export interface ChartSpec {
  id: string;
  title: string;
  /** Of the axis; what the legend's figures carry is in `text`. */
  unit: string;
  perUnit: number;
  leastTop: number;
  fixedTop?: number;
  curves: readonly { channel: Channel; label: string; dashed: boolean; text(value: number): string }[];
}

const curve = (channel: Channel, label: string, text: (value: number) => string, dashed = false) => ({
  channel,
  label,
  text,
  dashed,
});
const perSec = (value: number) => `${figure(value)} /s`;

/** The small charts in the order of a job's way: what came, how it waited, the engine, the IOMMU, the process. */
export const CHART_SPECS: readonly ChartSpec[] = [
  {
    id: 'jobs',
    title: 'Jobs',
    unit: '/s',
    perUnit: 1,
    leastTop: 10,
    curves: [curve('jobsPerSec', 'jobs', perSec)],
  },
  {
    id: 'ratio',
    title: 'Ratio',
    unit: ': 1',
    perUnit: 1,
    leastTop: 2,
    curves: [curve('ratio', 'original ÷ compressed', figure)],
  },
  {
    id: 'latency',
    title: 'Job latency, slowest queue',
    unit: 'ms',
    perUnit: 1_000,
    leastTop: 0.1,
    curves: [curve('p99Us', 'p99', duration), curve('p50Us', 'p50', duration, true)],
  },
  {
    id: 'occupancy',
    title: 'Fullest ring',
    unit: '%',
    perUnit: 0.01,
    leastTop: 100,
    fixedTop: 100,
    curves: [curve('occupancyRatio', 'of usable slots', percent)],
  },
  {
    id: 'engine',
    title: 'Engine cores busy',
    unit: '%',
    perUnit: 0.01,
    leastTop: 100,
    fixedTop: 100,
    curves: [curve('busyRatio', 'mean of all cores', percent)],
  },
  {
    id: 'fallback',
    title: 'Served by software',
    unit: '%',
    perUnit: 0.01,
    leastTop: 100,
    fixedTop: 100,
    curves: [curve('fallbackRatio', 'of requests', percent)],
  },
  {
    id: 'refusals',
    title: 'Full rings',
    unit: '/s',
    perUnit: 1,
    leastTop: 10,
    curves: [curve('busyPerSec', 'refused submissions', perSec)],
  },
  {
    id: 'iotlb',
    title: 'IOTLB hits',
    unit: '%',
    perUnit: 0.01,
    leastTop: 100,
    fixedTop: 100,
    curves: [curve('iotlbHitRatio', 'of translations', percent)],
  },
  {
    id: 'pages',
    title: 'Page requests and faults',
    unit: '/s',
    perUnit: 1,
    leastTop: 10,
    curves: [
      curve('pageRequestsPerSec', 'page requests', perSec),
      curve('faultsPerSec', 'faults', perSec, true),
    ],
  },
  {
    id: 'stalls',
    title: 'Stalled transactions',
    unit: '',
    perUnit: 1,
    leastTop: 4,
    curves: [curve('stalls', 'waiting now', figure)],
  },
  {
    id: 'loop',
    title: 'Event loop delay',
    unit: 'ms',
    perUnit: 1,
    leastTop: 5,
    curves: [curve('eventLoopDelayMs', 'mean', (ms) => duration(ms * 1_000))],
  },
  {
    id: 'software',
    title: 'In software (estimate)',
    unit: 'zlib threads',
    perUnit: 1,
    leastTop: 1,
    curves: [curve('softwareCores', 'threads', figure)],
  },
];
