import type { IommuSnapshot, StallSnapshot } from '../../../shared/src/telemetry.ts';

/** Stall tags count per function; in one list the tag also says whose it is. */
const FUNCTIONS = 1024;
export const stagOf = (vf: number, stag: number): number => stag * FUNCTIONS + vf;
export const ownerOfStag = (merged: number): { vf: number; stag: number } => ({
  vf: merged % FUNCTIONS,
  stag: Math.floor(merged / FUNCTIONS),
});

/** The IOMMU as all functions see it: their groups, devices and stalls side by side, their figures added. */
export function mergeIommu(
  parts: readonly { vf: number; iommu: IommuSnapshot }[],
  isAdmin: boolean,
): IommuSnapshot {
  const sum = (read: (iommu: IommuSnapshot) => number) =>
    parts.reduce((total, { iommu }) => total + read(iommu), 0);
  return {
    groups: parts.flatMap(({ iommu }) => iommu.groups),
    devices: parts.flatMap(({ iommu }) =>
      iommu.devices.map((device) => ({
        ...device,
        bound: device.bound.map(({ pasid, ...rest }) => ({ ...rest, ...shown(pasid, isAdmin) })),
      })),
    ),
    iotlb: {
      entries: sum(({ iotlb }) => iotlb.entries),
      hits: sum(({ iotlb }) => iotlb.hits),
      misses: sum(({ iotlb }) => iotlb.misses),
      invalidations: sum(({ iotlb }) => iotlb.invalidations),
    },
    pageRequests: {
      success: sum(({ pageRequests }) => pageRequests.success),
      invalid: sum(({ pageRequests }) => pageRequests.invalid),
      failure: sum(({ pageRequests }) => pageRequests.failure),
    },
    stalls: parts.flatMap(({ vf, iommu }) =>
      iommu.stalls.map(
        ({ pasid, stag, ...rest }): StallSnapshot => ({
          ...rest,
          stag: stagOf(vf, stag),
          ...shown(pasid, isAdmin),
        }),
      ),
    ),
    pasids: { inUse: sum(({ pasids }) => pasids.inUse), limit: sum(({ pasids }) => pasids.limit) },
    events: { recorded: sum(({ events }) => events.recorded), lost: sum(({ events }) => events.lost) },
  };
}

/** What stays of functions whose processes are gone: counts, so that no counter falls. */
export function countsOf(iommu: IommuSnapshot): IommuSnapshot {
  return {
    ...iommu,
    groups: [],
    devices: [],
    stalls: [],
    iotlb: { ...iommu.iotlb, entries: 0 },
    pasids: { inUse: 0, limit: 0 },
  };
}

const shown = (pasid: number | undefined, isAdmin: boolean): { pasid?: number } =>
  isAdmin && pasid !== undefined ? { pasid } : {};
