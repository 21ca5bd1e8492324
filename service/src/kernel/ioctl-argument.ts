import { kernelError } from './errno.ts';

/** `argument` as the object that an ioctl's pointer leads to. @throws WD_E_EFAULT when it leads nowhere */
export function structOf(argument: unknown): Readonly<Record<string, unknown>> {
  if (typeof argument !== 'object' || argument === null)
    throw kernelError('EFAULT', 'the ioctl needs a structure and got none', { field: 'argument' });
  return { ...argument };
}

/** One whole number of the structure. @throws WD_E_EINVAL */
export function numberOf(struct: Readonly<Record<string, unknown>>, name: string): number {
  const value = struct[name];
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    throw kernelError('EINVAL', `${name} is not an unsigned number`, { field: name });
  return value;
}

/** Checks `argsz`, the size that the caller thinks the structure has. @throws WD_E_EINVAL */
export function checkArgsz(struct: Readonly<Record<string, unknown>>, minimum: number): void {
  const argsz = numberOf(struct, 'argsz');
  if (argsz < minimum) throw kernelError('EINVAL', `argsz ${argsz} is below ${minimum}`, { field: 'argsz' });
}
