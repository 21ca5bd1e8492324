import type { Field } from './field.ts';
import { REQUEST_TYPE, SQE } from './zip-sqe.ts';

/** How one hardware generation differs, as data (sources.md 5.1, 6.1, 6.2). */
export interface ZipVariant {
  readonly hardware: 'zip-v2' | 'zip-v3';
  readonly revision: number;
  readonly api: string;
  readonly sqeType: number;
  readonly tag: Field;
  /** Where the emulated engine answers the kind of its core. */
  readonly coreTag: Field;
  readonly requestTypes: readonly number[];
  readonly totalQueues: number;
}

export const ZIP_V2: ZipVariant = {
  hardware: 'zip-v2',
  revision: 0x21,
  api: 'hisi_qm_v2',
  sqeType: 0,
  tag: SQE.dw13,
  coreTag: SQE.coreTagV2,
  requestTypes: [REQUEST_TYPE.zlib, REQUEST_TYPE.gzip],
  totalQueues: 1024,
};

export const ZIP_V3: ZipVariant = {
  hardware: 'zip-v3',
  revision: 0x30,
  api: 'hisi_qm_v3',
  sqeType: 3,
  tag: SQE.dw26,
  coreTag: SQE.coreTag,
  requestTypes: [REQUEST_TYPE.deflate, REQUEST_TYPE.zlib, REQUEST_TYPE.gzip],
  totalQueues: 1024,
};
