import type { FaultPlanSnapshot } from '../../../shared/src/fault-injection.ts';
import { WarpDriveError } from '../../../shared/src/problem.ts';
import type { StackAdmin, StackView } from '../../../shared/src/telemetry.ts';
import { ownerOfStag } from './merge-iommu.ts';
import type { WorkerCall } from './messages.ts';
import { ANSWERS, answerOf } from './worker-answer.ts';

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
      const answer = await calls.one(vf, { method: 'answerPageRequest', stag, response });
      return answerOf('answerPageRequest', ANSWERS.answerPageRequest, answer);
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
    /** Without a device every function gets the plan; the answer is then the physical one's. */
    async injectFault(plan) {
      const vf = plan.device === undefined ? undefined : functionOf(plan.device);
      if (vf !== undefined) {
        const answer = await calls.one(vf, { method: 'injectFault', plan });
        return ofFunction(vf, answerOf('injectFault', ANSWERS.injectFault, answer));
      }
      const injected = await pf.injectFault(plan);
      if (plan.device === undefined) await calls.all({ method: 'injectFault', plan });
      return injected;
    },
    async faultPlans() {
      const plans = [...(await pf.faultPlans())];
      for (const { vf } of view().devices())
        if (vf !== undefined) {
          const answer = await calls.one(vf, { method: 'faultPlans' });
          for (const plan of answerOf('faultPlans', ANSWERS.faultPlans, answer))
            plans.push(ofFunction(vf, plan));
        }
      return plans.sort((a, b) => a.injectedAtMs - b.injectedAtMs);
    },
    async clearFaults(merged) {
      if (merged !== undefined) {
        const vf = Math.floor(merged / PLANS_PER_FUNCTION);
        const plan = merged % PLANS_PER_FUNCTION;
        if (vf === 0) return pf.clearFaults(plan);
        return answerOf(
          'clearFaults',
          ANSWERS.clearFaults,
          await calls.one(vf, { method: 'clearFaults', plan }),
        );
      }
      let cleared = await pf.clearFaults();
      for (const answer of await calls.all({ method: 'clearFaults' }))
        cleared += answerOf('clearFaults', ANSWERS.clearFaults, answer);
      return cleared;
    },
  };
}

/** Plan numbers are each function's own; merged ones carry the function above. */
const PLANS_PER_FUNCTION = 1_000_000;

const ofFunction = (vf: number, plan: FaultPlanSnapshot): FaultPlanSnapshot => ({
  ...plan,
  id: vf * PLANS_PER_FUNCTION + plan.id,
});
