import { type ProblemDetails, WarpDriveError } from '../../../shared/src/problem.ts';

/** Error numbers that the kernel model answers with, by name; each has its entry in the catalogue. */
const CODES = {
  EPERM: 'WD_E_EPERM',
  ENOENT: 'WD_E_ENOENT',
  ESRCH: 'WD_E_ESRCH',
  ENXIO: 'WD_E_ENXIO',
  EAGAIN: 'WD_E_EAGAIN',
  ENOMEM: 'WD_E_NO_MEMORY',
  EACCES: 'WD_E_EACCES',
  EFAULT: 'WD_E_EFAULT',
  EBUSY: 'WD_E_EBUSY',
  EEXIST: 'WD_E_EEXIST',
  ENODEV: 'WD_E_ENODEV',
  ENOTDIR: 'WD_E_ENOTDIR',
  EISDIR: 'WD_E_EISDIR',
  EINVAL: 'WD_E_EINVAL',
  ENOTTY: 'WD_E_ENOTTY',
  ENOSPC: 'WD_E_ENOSPC',
  EUSERS: 'WD_E_EUSERS',
  ELOOP: 'WD_E_ELOOP',
  ENAMETOOLONG: 'WD_E_ENAMETOOLONG',
} as const;
export type Errno = keyof typeof CODES;

/** An error of the kernel side: `details.errno` names the number that a system call would return. */
export const kernelError = (errno: Errno, message: string, details: ProblemDetails = {}): WarpDriveError =>
  new WarpDriveError(CODES[errno], message, { ...details, errno });
