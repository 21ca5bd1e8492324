import type { MdevDomain, MdevPolicy } from '../../../../shared/src/telemetry.ts';

/**
 * A kind of instance that the parent offers; the id is "<driver>-<group>" as in mdev_supported_types.
 * What a type leaves out is as the 2018 deck has it: queue at create, an address space of the user's own.
 */
export interface MdevType {
  readonly id: string;
  readonly name: string;
  readonly description?: string;
  readonly policy?: MdevPolicy;
  readonly domain?: MdevDomain;
}

export const policyOf = (type: MdevType): MdevPolicy => type.policy ?? 'on-create';
export const domainOf = (type: MdevType): MdevDomain => type.domain ?? 'private';
