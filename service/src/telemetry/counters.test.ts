import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FaultSnapshot, StackView } from '../../../shared/src/telemetry.ts';
import { Counters } from './counters.ts';
import { addIncrements, GaugeSum, IncrementReader } from './increments.ts';

/** As much of a stack as the counters read. */
function countersOf(past: Pick<FaultSnapshot, 'event' | 'domainKind'>[] = []) {
  let tell: (fault: FaultSnapshot) => void = () => {};
  const view = {
    devices: () => [],
    faults: () => past,
    onFault(listener: (fault: FaultSnapshot) => void) {
      tell = listener;
      return () => {};
    },
  };
  return {
    counters: new Counters(view as unknown as StackView),
    fault: (fault: Pick<FaultSnapshot, 'event' | 'domainKind'>) => tell(fault as FaultSnapshot),
  };
}

describe('Counters', () => {
  it('counts faults by domain and event, those from before it began included', () => {
    const { counters, fault } = countersOf([{ event: 'F_TRANSLATION', domainKind: 'sva' }]);
    fault({ event: 'F_TRANSLATION', domainKind: 'sva' });
    fault({ event: 'F_PERMISSION', domainKind: 'dma' });
    assert.deepEqual(counters.faults, [
      { domainKind: 'sva', event: 'F_TRANSLATION', count: 2 },
      { domainKind: 'dma', event: 'F_PERMISSION', count: 1 },
    ]);
    assert.equal(counters.totals().faults, 3);
  });

  it('adds what waits in the sockets of all processes, and takes back what a dead one had', () => {
    const { counters: worker } = countersOf();
    const { counters: primary } = countersOf();
    const [own, its] = [{ bufferedAmount: 5 }, { bufferedAmount: 70 }];
    primary.webSocketOpened(own);
    worker.webSocketOpened(its);
    const gauges = new GaugeSum();
    const increments = new IncrementReader(worker).read();
    gauges.add(increments);
    addIncrements(primary, increments);
    assert.deepEqual([primary.bufferedBytes(), primary.webSockets.sessions], [75, 2]);
    addIncrements(primary, gauges.takeBack());
    assert.equal(primary.bufferedBytes(), 5);
    primary.webSocketClosed(own, 1000);
    assert.deepEqual([primary.bufferedBytes(), primary.webSockets.sessions], [0, 0]);
  });
});
