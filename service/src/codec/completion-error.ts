import type { Format } from '../../../shared/src/format.ts';
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

/** @param offsetBytes of the input */
export const corruptAt = (offsetBytes: number, reason: string, format?: Format): WarpDriveError =>
  new WarpDriveError('WD_E_INPUT_CORRUPT', `${reason} (near byte ${offsetBytes})`, {
    offsetBytes,
    reason,
    format: format ?? 'auto',
  });

export const truncatedAt = (offsetBytes: number, where: string, format?: Format): WarpDriveError =>
  new WarpDriveError('WD_E_INPUT_TRUNCATED', `input ends after ${offsetBytes} bytes, in the ${where}`, {
    offsetBytes,
    format: format ?? 'auto',
  });
