import { isProblemCode, type ProblemCode, WarpDriveError } from '../../../shared/src/problem.ts';
import { ERRNO, type ErrnoName } from './protocol.ts';

const isErrnoName = (name: unknown): name is ErrnoName =>
  typeof name === 'string' && Object.hasOwn(ERRNO, name);

const ERRNO_OF_CODE: Partial<Record<ProblemCode, ErrnoName>> = {
  WD_E_NO_QUEUE: 'EBUSY',
  WD_E_NO_MEMORY: 'ENOMEM',
  WD_E_EBUSY: 'EBUSY',
  WD_E_EINVAL: 'EINVAL',
  WD_E_EACCES: 'EACCES',
  WD_E_EEXIST: 'EEXIST',
  WD_E_ENODEV: 'ENODEV',
  WD_E_DEVICE: 'EIO',
};

/** The errno an answer carries for a refusal: the one the kernel model named, else the code's. */
export function errnoOf(error: unknown): number {
  if (!(error instanceof WarpDriveError)) return error instanceof RangeError ? ERRNO.EINVAL : ERRNO.EIO;
  const named = error.details['errno'];
  return ERRNO[isErrnoName(named) ? named : (ERRNO_OF_CODE[error.code] ?? 'EIO')];
}

const CODE_OF_ERRNO: Partial<Record<ErrnoName, ProblemCode>> = {
  EBUSY: 'WD_E_NO_QUEUE',
  ENOMEM: 'WD_E_NO_MEMORY',
  EINVAL: 'WD_E_EINVAL',
  EACCES: 'WD_E_EACCES',
  EPERM: 'WD_E_EPERM',
  EEXIST: 'WD_E_EEXIST',
  ENODEV: 'WD_E_ENODEV',
  ENOTTY: 'WD_E_ENOTTY',
  EAGAIN: 'WD_E_DEVICE_RESET',
};

/** The error that an answer means to the attached process. @param code of the catalogue; the errno decides if it is none */
export function errorOfErrno(errno: number, message: string, code: string): WarpDriveError {
  const name = (Object.keys(ERRNO) as ErrnoName[]).find((candidate) => ERRNO[candidate] === errno) ?? 'EIO';
  return new WarpDriveError(isProblemCode(code) ? code : (CODE_OF_ERRNO[name] ?? 'WD_E_DEVICE'), message, {
    errno: name,
  });
}
