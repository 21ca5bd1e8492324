import { WarpDriveError } from '../../../shared/src/problem.ts';
import type { PageResponse, StackAdmin, StackView } from '../../../shared/src/telemetry.ts';
import { ownerOfStag } from './merge-iommu.ts';
import type { WorkerCall } from './messages.ts';

/** Where the process of a virtual function is asked. */
export interface WorkerCalls {
  /** @throws WarpDriveError of the worker; WD_E_NO_QUEUE when it is not there */
  one(vf: number, call: WorkerCall): Promise<unknown>;
  /** All that are there; rejects if one fails. */
  all(call: WorkerCall): Promise<unknown[]>;
}

/** Administration of all functions: mdevs are made on the physical one; what concerns a queue goes to whose it is. */
export function mergedAdmin(pf: StackAdmin, view: () => StackView, calls: WorkerCalls): StackAdmin {
  const functionOf = (device: string): number | undefined =>
    view()
      .devices()
      .find(({ name }) => name === device)?.vf;
  return {
    mdevTypes: () => pf.mdevTypes(),
    createMdev: (request, isAdmin) => pf.createMdev(request, isAdmin),
    async removeMdev(uuid, isAdmin) {
      const mdev = view()
        .mdevs()
        .find((candidate) => candidate.uuid === uuid.toLowerCase());
      const vf = mdev && functionOf(mdev.parent);
      if (vf === undefined) await pf.removeMdev(uuid, isAdmin);
      else if (!isAdmin) throw new WarpDriveError('WD_E_EACCES', 'only root may remove an mdev');
      else await calls.one(vf, { method: 'removeMdev', uuid });
    },
    async setFaultModel(model) {
      await pf.setFaultModel(model);
      await calls.all({ method: 'setFaultModel', model });
    },
    async holdPageRequests(isHeld) {
      await pf.holdPageRequests(isHeld);
      await calls.all({ method: 'holdPageRequests', isHeld });
    },
    async answerPageRequest(merged, response) {
      const { vf, stag } = ownerOfStag(merged);
      if (vf === 0) return pf.answerPageRequest(stag, response);
      return (await calls.one(vf, { method: 'answerPageRequest', stag, response })) as PageResponse;
    },
    async resetQueue(id) {
      const vf = functionOf(id.slice(0, id.lastIndexOf('/')));
      if (vf === undefined) await pf.resetQueue(id);
      else await calls.one(vf, { method: 'resetQueue', id });
    },
    /** An error of the device, hence of every function: the controller reset stops the queues of all. */
    async hardwareError() {
      const isIsolated = await pf.hardwareError();
      await calls.all({ method: 'hardwareError' });
      return isIsolated;
    },
    async reloadDriver() {
      await pf.reloadDriver();
      await calls.all({ method: 'reloadDriver' });
    },
  };
}
