import type { DomainSnapshot, IommuSnapshot, StallSnapshot } from '../../../shared/src/telemetry.ts';
import { hex } from '../../../shared/src/units.ts';
import type { IommuDomain } from './iommu/domain.ts';
import type { Iommu } from './iommu/iommu.ts';
import { MAX_PASID } from './iommu/pasid-table.ts';
import type { ParentDevice } from './mdev/parent-device.ts';

export interface IommuSource {
  iommu: Iommu;
  parent: ParentDevice;
  ownerOf(pasid: number): { pid: number; name: string } | undefined;
}

const domainSnapshot = (domain: IommuDomain | undefined): DomainSnapshot =>
  domain
    ? { kind: domain.kind, mappedBytes: domain.space.mappedBytes }
    : { kind: 'blocking', mappedBytes: 0 };

/** Groups → devices → PASIDs → domains, for people. @param isAdmin whether PASIDs may be shown */
export function iommuSnapshot({ iommu, parent, ownerOf }: IommuSource, isAdmin: boolean): IommuSnapshot {
  const { streamId } = parent;
  const { entries, hits, misses, invalidations } = iommu.iotlb;
  return {
    groups: [
      { id: parent.iommuGroup, devices: [parent.bdf] },
      ...parent.list().map(({ iommuGroup, uuid }) => ({ id: iommuGroup, devices: [uuid] })),
    ],
    devices: [
      {
        name: parent.bdf,
        streamId,
        faultModel: iommu.faultModelOf(streamId),
        domain: domainSnapshot(iommu.defaultDomain(streamId)),
        bound: iommu.boundTo(streamId).map(({ pasid, domain, binds }) => {
          const owner = ownerOf(pasid);
          return {
            ...(isAdmin ? { pasid } : {}),
            binds: binds.get(streamId) ?? 0,
            ...(owner ? { owner } : {}),
            domain: domainSnapshot(domain),
          };
        }),
      },
    ],
    iotlb: { entries, hits, misses, invalidations },
    pageRequests: { ...iommu.pageRequestCounts },
    stalls: iommu.stalls().map(
      ({ stag, ageMs, record }): StallSnapshot => ({
        stag,
        ageMs,
        device: parent.name,
        ...(isAdmin ? { pasid: record.pasid } : {}),
        iova: hex(record.iova, 12),
        access: record.access,
      }),
    ),
    pasids: { inUse: iommu.pasidsInUse, limit: MAX_PASID },
    events: { recorded: iommu.faultCount, lost: iommu.faultsLost },
  };
}
