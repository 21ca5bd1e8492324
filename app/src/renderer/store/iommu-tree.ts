import type { DomainSnapshot, IommuSnapshot, QueueSnapshot } from '../../../../shared/src/telemetry.ts';

/** One line of the IOMMU tree, already in the order of reading. */
export interface TreeLine {
  depth: 0 | 1 | 2;
  kind: 'group' | 'device' | 'space';
  label: string;
  note: string;
  /** Mapped, where the line stands for a domain. */
  bytes?: number;
}

const DOMAIN_WORDS: Record<DomainSnapshot['kind'], string> = {
  blocking: 'blocking: nothing translates',
  identity: 'identity: all addresses pass',
  dma: 'dma: filled by map and unmap',
  sva: "sva: the process's own page table",
};

/** Groups with devices first, then those whose only member is an mdev without spaces of its own. */
export function treeOf({ groups, devices }: IommuSnapshot): TreeLine[] {
  const byName = new Map(devices.map((device) => [device.name, device]));
  const lines: TreeLine[] = [];
  for (const group of groups) {
    lines.push({
      depth: 0,
      kind: 'group',
      label: `group ${group.id}`,
      note: group.devices.length === 1 ? '1 device' : `${group.devices.length} devices`,
    });
    for (const name of group.devices) {
      const device = byName.get(name);
      if (device === undefined) {
        lines.push({ depth: 1, kind: 'device', label: name, note: 'mdev' });
        continue;
      }
      lines.push({
        depth: 1,
        kind: 'device',
        label: name,
        note: `stream 0x${device.streamId.toString(16)}, faults ${FAULT_WORDS[device.faultModel]}; without PASID ${DOMAIN_WORDS[device.domain.kind]}`,
        bytes: device.domain.mappedBytes,
      });
      for (const { pasid, owner, binds, domain } of device.bound)
        lines.push({
          depth: 2,
          kind: 'space',
          label: owner === undefined ? 'address space' : `${owner.name} ${owner.pid}`,
          note: `${pasid === undefined ? '' : `PASID ${pasid}, `}${DOMAIN_WORDS[domain.kind]}, bound ${binds} ${binds === 1 ? 'time' : 'times'}`,
          bytes: domain.mappedBytes,
        });
    }
  }
  return lines;
}

/**
 * Whose translations a queue's addresses go through, as its details say it.
 * @param bdf address of the queue's device, by which the IOMMU knows it
 */
export function addressSpaceOf(queue: QueueSnapshot, bdf: string | undefined, iommu: IommuSnapshot): string {
  const device = iommu.devices.find(({ name }) => name === bdf);
  const space = device?.bound.find(({ owner }) => owner?.pid === queue.owner.pid);
  if (device === undefined || queue.mode === 'noiommu') return 'not translated';
  if (space === undefined || queue.mode === 'native')
    return `the device’s own, ${DOMAIN_WORDS[device.domain.kind]}`;
  return `${space.pasid === undefined ? 'PASID hidden' : `PASID ${space.pasid}`}, ${DOMAIN_WORDS[space.domain.kind]}`;
}

const FAULT_WORDS = { none: 'abort', stall: 'stall', pri: 'by page request' } as const;
