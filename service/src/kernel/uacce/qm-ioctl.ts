import { QUEUE_DEPTH } from '../../hw-abi/qm.ts';
import { SQE_BYTES } from '../../hw-abi/zip-sqe.ts';
import { kernelError } from '../errno.ts';
import { numberOf, structOf } from '../ioctl-argument.ts';
import type { QueueFile } from '../queue-file.ts';
import { UACCE } from './numbers.ts';

const OPERATIONS = ['compress', 'decompress'] as const;

/**
 * The HiSilicon driver's own ioctls of a queue, the same on a uacce and on a VFIO descriptor (Linux qm.c,
 * hisi_qm_uacce_ioctl).
 * @returns undefined when the number is none of them
 * @throws WD_E_EINVAL, WD_E_EFAULT
 */
export function qmIoctl(queue: QueueFile, number: number, argument: unknown): object | undefined {
  switch (number) {
    case UACCE.QM_SET_QP_CTX: {
      const type = numberOf(structOf(argument), 'qc_type');
      const operation = OPERATIONS[type];
      if (!operation) throw kernelError('EINVAL', `qc_type ${type} is neither 0 nor 1`, { field: 'qc_type' });
      queue.configure({ operation });
      return { id: queue.qpId, qc_type: type };
    }
    case UACCE.QM_SET_QP_INFO:
      structOf(argument);
      return { sqe_size: SQE_BYTES, sq_depth: QUEUE_DEPTH, cq_depth: QUEUE_DEPTH, reserved: 0 };
    case UACCE.QM_SET_QP_PRIORITY:
      queue.configure({ priority: numberOf(structOf(argument), 'priority') });
      return {};
    default:
      return undefined;
  }
}
