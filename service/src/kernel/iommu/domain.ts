import type { DomainKind } from '../../../../shared/src/telemetry.ts';
import type { SpaceKind, TranslationSpace } from './space.ts';

const KIND_OF_SPACE: Record<SpaceKind, DomainKind> = {
  sva: 'sva',
  private: 'dma',
  kernel: 'dma',
  identity: 'identity',
};

/** One set of translations with the number that tags its entries in the IOTLB. */
export class IommuDomain {
  constructor(
    readonly asid: number,
    readonly space: TranslationSpace,
  ) {}

  get kind(): DomainKind {
    return KIND_OF_SPACE[this.space.kind];
  }
}
