import type { DomainKind, FaultSnapshot, PageResponse } from '../../../../shared/src/telemetry.ts';

export type { PageResponse } from '../../../../shared/src/telemetry.ts';

import { hex, type Pasid, type StreamId } from '../../../../shared/src/units.ts';
import type { Access } from './translator.ts';

/** SMMUv3 events that the model raises (Linux drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3.h, event ids). */
export const FAULT_EVENTS = {
  F_STREAM_DISABLED: {
    id: 0x06,
    reason: 'the device has no domain for requests without PASID',
    advice: 'Attach the device to a domain first, or use a queue with a bound address space.',
  },
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
  domainKind: DomainKind;
  /** Queue that the access was for. The SMMU's event has no such field: the device adds it. */
  qpId?: number;
  /** What became of the access; absent means `aborted`. A stalled one changes when it is answered. */
  outcome?: FaultOutcome;
  /** The transaction was held under this tag (stall), or asked for under this group id (pri). */
  stag?: number;
  /** Absent means `stall` if there is a tag. */
  recovery?: 'stall' | 'pri';
  /** Answer to the page request, once there is one. */
  response?: PageResponse;
}
export type FaultOutcome = 'aborted' | 'resolved' | 'stalled';

const isHeld = (record: FaultRecord): boolean => record.stag !== undefined && record.recovery !== 'pri';
/** Events that carry no address and no access attributes (sources.md 8.5). */
const HAS_NO_ADDRESS = new Set<FaultEvent>(['C_BAD_SUBSTREAMID', 'F_STREAM_DISABLED']);

const CLASS_INPUT_ADDRESS = 2n;

/** The record's four 64-bit words (sources.md 8.5): id, SSV, SSID, SID · STAG, stall, RnW, class · address · 0. */
export function eventWords(record: FaultRecord): readonly [bigint, bigint, bigint, bigint] {
  const { id } = FAULT_EVENTS[record.event];
  const hasSubstream = record.pasid !== 0;
  const word0 =
    BigInt(id) |
    (hasSubstream ? 1n << 11n : 0n) |
    (BigInt(record.pasid) << 12n) |
    (BigInt(record.streamId) << 32n);
  if (HAS_NO_ADDRESS.has(record.event)) return [word0, 0n, 0n, 0n];
  const stall = isHeld(record) ? BigInt(record.stag ?? 0) | (1n << 31n) : 0n;
  const word1 = stall | (record.access === 'read' ? 1n << 35n : 0n) | (CLASS_INPUT_ADDRESS << 40n);
  return [word0, word1, BigInt(record.iova), 0n];
}

/**
 * The PRI queue entry of a page request under fault model `pri` (sources.md 8.7): SID, SSID, permissions, last,
 * SSV · group id, page address.
 */
export function priWords(record: FaultRecord): readonly [bigint, bigint] {
  const permission = record.access === 'read' ? 1n << 60n : 1n << 61n;
  const substream = record.pasid === 0 ? 0n : (1n << 63n) | (BigInt(record.pasid) << 32n);
  const last = 1n << 62n;
  const page = (BigInt(record.iova) >> 12n) << 12n;
  return [
    BigInt(record.streamId) | substream | permission | last,
    page | (BigInt(record.stag ?? 0) & 0x1ffn),
  ];
}

/** The decoded line that a current arm-smmu-v3 driver prints (sources.md 8.6), without the PASID for non-admins. */
export function kernelLine(record: FaultRecord, client: string, isAdmin: boolean): string {
  const ssid = isAdmin ? hex(record.pasid, 1) : 'hidden';
  const head = `arm-smmu-v3: event: ${record.event} client: ${client} sid: ${hex(record.streamId, 1)} ssid: ${ssid}`;
  if (HAS_NO_ADDRESS.has(record.event)) return head;
  return (
    `${head} iova: ${hex(record.iova, 1)} ipa: 0x0 unpriv data ${record.access} s1 "Input address caused fault"` +
    `${isHeld(record) ? ' stall' : ''} stag: ${hex(record.stag ?? 0, 1)}`
  );
}

const OUTCOME_ADVICE: Partial<Record<FaultOutcome, string>> = {
  resolved: 'Nothing to do: the page was brought in and the access repeated.',
  stalled: 'The access waits for its page: answer or release the held page requests.',
};

/** The record as the API shows it. @param isAdmin whether the PASID may be shown */
export function faultSnapshot(
  record: FaultRecord,
  where: { device: string; bdf: string; owner?: { pid: number; name: string } },
  isAdmin = false,
): FaultSnapshot {
  const { reason, advice } = FAULT_EVENTS[record.event];
  const outcome = record.outcome ?? 'aborted';
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
    outcome,
    domainKind: record.domainKind,
    ...(where.owner ? { owner: where.owner } : {}),
    ...(record.qpId === undefined ? {} : { queue: `${where.device}/${record.qpId}` }),
    advice: OUTCOME_ADVICE[outcome] ?? advice,
    kernelLine: kernelLine(record, where.bdf, isAdmin),
    ...(record.stag === undefined ? {} : { stag: record.stag }),
  };
}
