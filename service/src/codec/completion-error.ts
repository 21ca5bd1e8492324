import { WarpDriveError } from '../../../shared/src/problem.ts';
import { hex } from '../../../shared/src/units.ts';
import type { ZipCompletion } from '../warpdrive/accelerator-library.ts';

/** The error that a failed job means to the client; undefined for a job that did not fail. */
export function errorOf(completion: ZipCompletion): WarpDriveError | undefined {
  const deviceStatus = hex(completion.status, 2);
  switch (completion.outcome) {
    case 'ok':
    case 'end':
      return undefined;
    case 'corrupt':
      return new WarpDriveError('WD_E_INPUT_CORRUPT', 'the DEFLATE data is invalid', { deviceStatus });
    case 'checksum-error':
      return new WarpDriveError('WD_E_INPUT_CORRUPT', 'the checksum in the trailer does not match the data', {
        deviceStatus,
      });
    case 'dma-error':
      return new WarpDriveError('WD_E_IOVA_UNMAPPED', 'the IOMMU refused an access of the job', {
        deviceStatus,
      });
    case 'output-exhausted':
    case 'bad-request':
    case 'device-error':
      return new WarpDriveError('WD_E_DEVICE', `the device failed a job: ${completion.outcome}`, {
        deviceStatus,
      });
  }
}
