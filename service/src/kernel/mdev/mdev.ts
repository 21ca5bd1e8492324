import type { MdevState } from '../../../../shared/src/telemetry.ts';
import type { Clock } from '../../platform/clock.ts';
import type { MdevType } from './mdev-type.ts';

/** Changes of state kept per mdev. */
const TIME_LINE_LENGTH = 32;
export const NO_QUEUE = -1;

/** DMA memory that an mdev holds from create to remove. */
export interface DmaPool {
  readonly bytes: number;
  free(): void;
}

export interface MdevParts {
  uuid: string;
  type: MdevType;
  qpId: number;
  /** Highest queue priority that its user may ask for, 0–15. */
  priorityClass: number;
  iommuGroup: number;
  dmaPool: DmaPool | undefined;
}

/**
 * One mediated device: one queue pair, assigned when root creates it or when its user opens it.
 * `created` = idle; `opened` and `bound` on the way to `active`; `draining` = closed, an engine core still works.
 */
export class Mdev {
  readonly uuid: string;
  readonly type: MdevType;
  readonly createdAtMs: number;
  readonly priorityClass: number;
  readonly iommuGroup: number;
  readonly dmaPool: DmaPool | undefined;
  /** NO_QUEUE while policy `on-open` has given it none. */
  qpId: number;
  /** Its VFIO group is open: only the group's opener may use it. */
  isHeld = false;
  /** A removal runs already (the kernel's EAGAIN). */
  isRemoving = false;
  private current: MdevState = 'created';
  private readonly changes: { state: MdevState; atMs: number }[];

  constructor(
    parts: MdevParts,
    private readonly clock: Clock,
    private readonly onChanged: (mdev: Mdev) => void = () => {},
  ) {
    this.uuid = parts.uuid;
    this.type = parts.type;
    this.qpId = parts.qpId;
    this.priorityClass = parts.priorityClass;
    this.iommuGroup = parts.iommuGroup;
    this.dmaPool = parts.dmaPool;
    this.createdAtMs = clock.wallMs();
    this.changes = [{ state: 'created', atMs: this.createdAtMs }];
  }

  get state(): MdevState {
    return this.current;
  }

  set state(state: MdevState) {
    if (state === this.current) return;
    this.current = state;
    this.changes.push({ state, atMs: this.clock.wallMs() });
    if (this.changes.length > TIME_LINE_LENGTH) this.changes.shift();
    this.onChanged(this);
  }

  /** The last changes of state, oldest first. */
  get timeLine(): readonly { state: MdevState; atMs: number }[] {
    return this.changes;
  }

  /** Nobody's queue; whether somebody holds its group is another question. */
  get isClosed(): boolean {
    return (this.current === 'created' || this.current === 'draining') && !this.isRemoving;
  }

  get isIdle(): boolean {
    return this.isClosed && !this.isHeld;
  }
}
