import type { FaultSnapshot } from '../../../../shared/src/telemetry.ts';
import { hex, type Pasid, type StreamId } from '../../../../shared/src/units.ts';
import type { Access } from './translator.ts';

/** SMMUv3 events that the model raises (Linux drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3.h, event ids). */
export const FAULT_EVENTS = {
  C_BAD_SUBSTREAMID: {
    id: 0x08,
    reason: 'no address space is bound to this PASID',
    advice: 'The queue outlived its process or was never bound: close it and open a new one.',
  },
  F_TRANSLATION: {
    id: 0x10,
    reason: 'the address is not mapped',
    advice: 'Map the buffer before submitting, or check the descriptor’s address and length.',
  },
  F_PERMISSION: {
    id: 0x13,
    reason: 'the mapping does not permit this access',
    advice: 'Map the buffer with the permission the engine needs: read for sources, write for destinations.',
  },
} as const;
export type FaultEvent = keyof typeof FAULT_EVENTS;

/** One event record, as the SMMU would write it. */
export interface FaultRecord {
  seq: number;
  atMs: number;
  event: FaultEvent;
  streamId: StreamId;
  pasid: Pasid;
  iova: number;
  access: Access;
}

const CLASS_INPUT_ADDRESS = 2n;

/** The record's four 64-bit words (warpdrive.md 8.5): id, SSV, SSID, SID · RnW, class · input address · 0. */
export function eventWords(record: FaultRecord): readonly [bigint, bigint, bigint, bigint] {
  const { id } = FAULT_EVENTS[record.event];
  const hasSubstream = record.pasid !== 0;
  const word0 =
    BigInt(id) |
    (hasSubstream ? 1n << 11n : 0n) |
    (BigInt(record.pasid) << 12n) |
    (BigInt(record.streamId) << 32n);
  if (record.event === 'C_BAD_SUBSTREAMID') return [word0, 0n, 0n, 0n];
  const word1 = (record.access === 'read' ? 1n << 35n : 0n) | (CLASS_INPUT_ADDRESS << 40n);
  return [word0, word1, BigInt(record.iova), 0n];
}

/** The decoded line that a current arm-smmu-v3 driver prints (warpdrive.md 8.6), without the PASID for non-admins. */
export function kernelLine(record: FaultRecord, client: string, isAdmin: boolean): string {
  const ssid = isAdmin ? hex(record.pasid, 1) : 'hidden';
  return (
    `arm-smmu-v3: event: ${record.event} client: ${client} sid: ${hex(record.streamId, 1)} ssid: ${ssid} ` +
    `iova: ${hex(record.iova, 1)} ipa: 0x0 unpriv data ${record.access} s1 "Input address caused fault" stag: 0x0`
  );
}

/** The record as the API shows it. @param isAdmin whether the PASID may be shown */
export function faultSnapshot(
  record: FaultRecord,
  where: { device: string; bdf: string; owner?: { pid: number; name: string } },
  isAdmin = false,
): FaultSnapshot {
  const { reason, advice } = FAULT_EVENTS[record.event];
  return {
    seq: record.seq,
    atMs: record.atMs,
    device: where.device,
    streamId: record.streamId,
    ...(isAdmin ? { pasid: record.pasid } : {}),
    iova: hex(record.iova, 12),
    access: record.access,
    event: record.event,
    reason,
    outcome: 'aborted',
    ...(where.owner ? { owner: where.owner } : {}),
    advice,
    kernelLine: kernelLine(record, where.bdf, isAdmin),
  };
}
