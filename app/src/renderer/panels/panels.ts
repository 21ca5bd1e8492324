import type { AppBridge } from '../../contract/ipc.ts';
import type { AlarmWatch } from '../alarms/alarm-watch.ts';
import { saver } from '../export/save.ts';
import type { Service, Services } from '../services.ts';
import type { TimeRange } from '../store/time-range.ts';
import type { View } from '../views.ts';
import { byId, setText } from '../widgets/dom.ts';
import type { ChartEvents } from '../widgets/line-chart.ts';
import { AlarmsPanel } from './alarms.ts';
import { ChartsPanel } from './charts.ts';
import { ComparePanel } from './compare.ts';
import { Confirm } from './confirm.ts';
import { ConnectionStripPanel } from './connection-strip.ts';
import { DevicesPanel } from './devices.ts';
import { ExportSheet } from './exports.ts';
import { FaultsPanel } from './faults.ts';
import { HeadlinePanel } from './headline.ts';
import { HelpSheet } from './help.ts';
import { IommuPanel } from './iommu-tree.ts';
import { LiveCostPanel } from './live-cost.ts';
import { MdevsPanel } from './mdevs.ts';
import { NavigationPanel } from './navigation.ts';
import { NoticePanel } from './notice.ts';
import type { Frame, PageActions, Panel } from './panel.ts';
import { QueueDetailPanel } from './queue-detail.ts';
import { QueuesPanel } from './queues.ts';
import { ServicesChartPanel } from './services-chart.ts';
import { ServicesSheet } from './services-sheet.ts';
import { ThroughputPanel } from './throughput.ts';
import { TokenSheet } from './token-sheet.ts';

interface PanelDeps {
  actions: PageActions;
  range: TimeRange;
  services: Services;
  alarms: AlarmWatch;
  app: AppBridge | undefined;
  chartEvents: ChartEvents;
  frame(): Frame;
  show(view: View): void;
  showService(service: Service): void;
}

export interface PlacedPanel {
  panel: Panel;
  /** In which views the panel is in sight; `all` shows every panel anyway. */
  views: readonly View[] | 'every';
  /** Id of its element; a panel without one is always in sight. */
  at?: string;
}

export type Panels = ReturnType<typeof createPanels>;

const TOAST_MS = 2_500;

/** All panels and sheets with the views that they are in. To add one: an element in index.html, a class, a line here. */
export function createPanels(deps: PanelDeps) {
  const { actions, services, alarms, chartEvents, app } = deps;
  const save = saver(app);
  const confirm = new Confirm();
  const queueDetail = new QueueDetailPanel(actions, confirm, chartEvents);
  const queues = new QueuesPanel(actions);
  const faults = new FaultsPanel(actions);
  const token = new TokenSheet(services, app);
  const charts = new ChartsPanel(actions, chartEvents);
  // charts first: they measure text, which lays the page out, so nothing may have been written before them
  const placed: PlacedPanel[] = [
    { panel: charts, views: ['charts'], at: 'panel-charts' },
    { panel: new ThroughputPanel(chartEvents), views: ['overview', 'charts'], at: 'panel-throughput' },
    {
      panel: new ServicesChartPanel(services, chartEvents),
      views: services.list.length > 1 ? ['charts'] : [],
      at: 'panel-services',
    },
    { panel: queueDetail, views: ['queues'], at: 'panel-queue' },
    { panel: new ConnectionStripPanel(), views: 'every' },
    { panel: new NavigationPanel(deps), views: 'every' },
    { panel: token, views: 'every' },
    { panel: new HeadlinePanel(), views: ['overview', 'queues', 'iommu', 'charts'], at: 'headline' },
    { panel: new NoticePanel(), views: ['overview', 'charts'] },
    { panel: new DevicesPanel(), views: ['overview'], at: 'panel-devices' },
    { panel: queues, views: ['overview', 'queues'], at: 'panel-queues' },
    { panel: new IommuPanel(actions, confirm), views: ['iommu'], at: 'panel-iommu' },
    { panel: faults, views: ['overview', 'iommu'], at: 'panel-faults' },
    { panel: new LiveCostPanel(), views: ['compare'], at: 'panel-live-cost' },
    { panel: new ComparePanel(actions, save), views: ['compare'], at: 'panel-compare' },
    { panel: new MdevsPanel(actions, confirm), views: ['mdevs'], at: 'panel-mdevs' },
    { panel: new AlarmsPanel(alarms), views: ['alarms'], at: 'panel-alarms' },
  ];
  const exports = new ExportSheet({ frame: deps.frame, services, faults, save });
  byId('export', HTMLButtonElement).addEventListener('click', () => exports.open());
  return {
    placed,
    charts,
    queues,
    queueDetail,
    faults,
    token,
    exports,
    help: new HelpSheet(),
    services: new ServicesSheet(services),
    toast,
  };
}

let toastTimer: ReturnType<typeof setTimeout> | undefined;

/** Says something short at the lower edge for a moment. */
function toast(words: string): void {
  const output = byId('toast', HTMLOutputElement);
  setText(output, words);
  output.hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => {
    output.hidden = true;
  }, TOAST_MS);
}
