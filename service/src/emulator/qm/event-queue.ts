import { getField, setField } from '../../hw-abi/field.ts';
import { EQC, EQE } from '../../hw-abi/qm.ts';
import type { Register } from '../../hw-abi/register.ts';
import type { RegisterFile } from './register-file.ts';

interface Ring {
  readonly words: Uint32Array;
  readonly context: Uint32Array;
  readonly depth: number;
  head: number;
  tail: number;
  phase: number;
}

/**
 * The device's side of the EQ or the AEQ: a ring of one-word entries in the kernel's memory. The device owns the tail
 * and writes an entry in one store, phase bit included; the driver's doorbell moves the head. Each entry sends the
 * interrupt unless it is masked; the source bit stands while entries are not acknowledged.
 */
export class EventQueue {
  private ring: Ring | undefined;

  /** @param interrupt sends the message to the kernel */
  constructor(
    private readonly registers: RegisterFile,
    private readonly source: Register,
    private readonly mask: Register,
    private readonly interrupt: () => void,
  ) {
    registers.onWrite(mask, () => this.interruptIfPending());
  }

  /** @param context EQC or AEQC as the mailbox delivered it @param words the ring that it names */
  configure(context: Uint32Array, words: Uint32Array): void {
    const depth = getField(context, 0, EQC.depthMinusOne) + 1;
    const phase = getField(context, 0, EQC.phase);
    this.ring = { words, context: context.slice(), depth, head: 0, tail: 0, phase };
    this.registers.set(this.source, 0);
  }

  /** The context with the device's current indices, for a read-back. */
  context(): Uint32Array | undefined {
    if (!this.ring) return undefined;
    const words = this.ring.context.slice();
    setField(words, 0, EQC.head, this.ring.head);
    setField(words, 0, EQC.tail, this.ring.tail);
    setField(words, 0, EQC.phase, this.ring.phase);
    return words;
  }

  /** @param entry the word without its phase bit @returns false when the ring is full: the entry is lost */
  post(entry: number): boolean {
    const { ring } = this;
    if (!ring) return true; // nobody asked for events yet
    const next = (ring.tail + 1) % ring.depth;
    if (next === ring.head) return false;
    ring.words[ring.tail] = (entry | (ring.phase << EQE.phase.shift)) >>> 0;
    ring.tail = next;
    if (next === 0) ring.phase ^= 1;
    this.registers.set(this.source, 1);
    this.interruptIfPending();
    return true;
  }

  /** Doorbell: the driver has taken all entries before `head`. @returns false when it is outside the ring */
  acknowledge(head: number): boolean {
    const { ring } = this;
    if (!ring || head >= ring.depth) return false;
    ring.head = head;
    this.registers.set(this.source, ring.head === ring.tail ? 0 : 1);
    this.interruptIfPending();
    return true;
  }

  reset(): void {
    this.ring = undefined;
  }

  private interruptIfPending(): void {
    if (this.registers.get(this.source) === 1 && (this.registers.get(this.mask) & 1) === 0) this.interrupt();
  }
}
