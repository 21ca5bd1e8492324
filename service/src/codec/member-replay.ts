import { crc32 } from 'node:zlib';
import { WarpDriveError } from '../../../shared/src/problem.ts';

/** Largest compressed input that a member may have to be repeated. */
const MAX_MEMBER_INPUT_BYTES = 8 * 1024 * 1024;
/** Output that a repetition makes again; more takes too long for a client that waits. */
const MAX_MEMBER_OUTPUT_BYTES = 256 * 1024 * 1024;

/** Input that all streams together keep for repetition, bytes. */
export class ReplayBudget {
  private left: number;
  constructor(totalBytes: number) {
    this.left = totalBytes;
  }

  tryTake(bytes: number): boolean {
    if (bytes > this.left) return false;
    this.left -= bytes;
    return true;
  }

  giveBack(bytes: number): void {
    this.left += bytes;
  }
}

/**
 * What is needed to inflate a member once more from its start, on any device or in software: its input so far, as views
 * of the client's own chunks, and how much of its output was given out already. A stream's context would not do: it is
 * lost with the core that worked in it, and only a device of the same kind could read it.
 */
export class MemberReplay {
  private input: Uint8Array[] = [];
  private bytes = 0;
  private isComplete = true;
  /** Output of the member that the client has, and its CRC-32. */
  private sent = { bytes: 0, crc: 0 };
  /** Place in the output of the repetition under way; of no meaning in the first run. */
  private repeated: { bytes: number; crc: number } | undefined;

  constructor(private readonly budget: ReplayBudget) {}

  /** Remembers input that a job used up and that more output depends on. */
  keep(chunks: readonly Uint8Array[], memberBytes: number): void {
    if (!this.isComplete) return;
    let bytes = 0;
    for (const chunk of chunks) bytes += chunk.length;
    const fits =
      this.bytes + bytes <= MAX_MEMBER_INPUT_BYTES &&
      memberBytes <= MAX_MEMBER_OUTPUT_BYTES &&
      this.budget.tryTake(bytes);
    if (!fits) {
      this.clear();
      this.isComplete = false;
      return;
    }
    this.input.push(...chunks);
    this.bytes += bytes;
  }

  /** The member is complete. @throws WD_E_INTERNAL when a repetition of it is shorter than what was sent */
  end(): void {
    if (this.repeated && this.repeated.bytes < this.sent.bytes) throw differs();
    this.clear();
  }

  /** Nothing will be repeated any more. */
  clear(): void {
    this.budget.giveBack(this.bytes);
    this.input = [];
    this.bytes = 0;
    this.isComplete = true;
    this.sent = { bytes: 0, crc: 0 };
    this.repeated = undefined;
  }

  /**
   * Begins a repetition.
   * @param memberBytes output of this run @param crc its CRC-32
   * @returns the input, to go before what is still to come; undefined when it was too much to keep
   */
  begin(memberBytes: number, crc: number): Uint8Array[] | undefined {
    if (!this.isComplete) return undefined;
    if (memberBytes >= this.sent.bytes) this.sent = { bytes: memberBytes, crc };
    const { input } = this;
    this.budget.giveBack(this.bytes);
    this.input = [];
    this.bytes = 0;
    this.repeated = { bytes: 0, crc: 0 };
    return input;
  }

  /**
   * The part of this output that the client does not have.
   * @throws WD_E_INTERNAL when the part that it has is not what it was given
   */
  fresh(output: Buffer): Buffer {
    const { repeated, sent } = this;
    if (!repeated) return output;
    const known = output.subarray(0, sent.bytes - repeated.bytes);
    repeated.crc = crc32(known, repeated.crc);
    repeated.bytes += known.length;
    if (repeated.bytes === sent.bytes) {
      if (repeated.crc !== sent.crc) throw differs();
      this.repeated = undefined;
    }
    return output.subarray(known.length);
  }
}

/** Not for another try: one of the two runs was wrong, and nobody knows which. */
const differs = (): WarpDriveError =>
  new WarpDriveError('WD_E_INTERNAL', 'the repeated member differs from what was sent of it');
