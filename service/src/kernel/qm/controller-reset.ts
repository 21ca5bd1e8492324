import type { Log } from '../../platform/log.ts';
import type { QueueFile } from '../queue-file.ts';
import type { QueueRegistry } from '../queue-registry.ts';
import type { IsolationStrategy } from '../uacce/isolation.ts';
import type { QueueManager } from './queue-manager.ts';

export interface ControllerResetParts {
  queueManager: QueueManager;
  registry: QueueRegistry;
  isolation: IsolationStrategy;
  log: Log;
}

/**
 * The reset flows of Linux qm.c (sources.md 5.9). Queues of users are stopped for good: their stop words say so and
 * their users open others. They are told when the device is back, not before, because whoever is told opens at once.
 */
export class ControllerReset {
  private isRunning = false;

  constructor(private readonly parts: ControllerResetParts) {}

  /** After an error that needs it: counts towards isolation, then resets unless that took the device out. */
  run(): void {
    if (this.isRunning) return; // one reset mends all errors that stand
    const { queueManager, isolation, log } = this.parts;
    this.withQueuesStopped(() => {
      log.warn({}, 'Controller resetting...');
      const isIsolated = isolation.recordError();
      if (queueManager.state === 'start') queueManager.stop();
      if (isIsolated) {
        log.error({ errors: isolation.errors }, 'device isolated instead of reset');
        return;
      }
      try {
        this.restartDevice();
        log.warn({}, 'Controller reset complete');
      } catch (error) {
        isolation.isolate();
        log.error({ err: error }, 'Controller reset failed; device isolated');
      }
    });
  }

  /** After lost events: the function's queues start anew, the rest of the device goes on (qm_reset_function). */
  resetFunction(): void {
    if (this.isRunning) return;
    const { queueManager, isolation, log } = this.parts;
    this.withQueuesStopped(() => {
      log.warn({}, 'FLR resetting...');
      try {
        if (queueManager.state === 'start') queueManager.stop();
        queueManager.start();
        log.warn({}, 'FLR reset complete');
      } catch (error) {
        isolation.isolate();
        log.error({ err: error }, 'failed to start qm when reset function; device isolated');
      }
    });
  }

  /** The driver is loaded again: an isolated device comes back. @throws WD_E_DEVICE when the device does not answer */
  reload(): void {
    this.parts.isolation.reload();
    if (this.parts.queueManager.state === 'stop') this.restartDevice();
  }

  private restartDevice(): void {
    const { queueManager } = this.parts;
    queueManager.softReset();
    queueManager.initialise();
    queueManager.start();
  }

  private withQueuesStopped(mend: () => void): void {
    this.isRunning = true;
    const stopped: QueueFile[] = [];
    try {
      for (const { queue } of this.parts.registry.list())
        try {
          if (queue.stopForReset()) stopped.push(queue);
        } catch (error) {
          stopped.push(queue); // its stop words stand; the reset takes it from the device
          this.parts.log.error({ queue: queue.id, err: error }, 'Failed to stop started qp');
        }
      mend();
    } finally {
      this.isRunning = false;
    }
    for (const queue of stopped) queue.notifyReset();
  }
}
