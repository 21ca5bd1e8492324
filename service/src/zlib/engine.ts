import type { CoreName } from '../../../shared/src/telemetry.ts';
import {
  type ChecksumKind,
  type DeflateCore,
  INFLATE_CONTEXT_BYTES,
  type InflateResult,
} from '../emulator/deflate/core.ts';
import { createWasmCore, WASM_SCRATCH_BYTES } from '../emulator/deflate/wasm-core.ts';
import { IsalProbe } from './isal-probe.ts';
import { wantedCore } from './wanted-core.ts';

/** Largest input of one compression job. Long enough that the way through the core costs nothing beside the work. */
export const JOB_BYTES = 128 * 1024;
/** What a match can reach back (RFC 1951). */
export const HISTORY_BYTES = 32 * 1024;
/** Input and output of one decompression job: about half a millisecond of work. */
const INFLATE_SOURCE_BYTES = 64 * 1024;
export const INFLATE_OUTPUT_BYTES = 128 * 1024;
/** ISA-L knows levels up to this one. */
const ISAL_MAX_LEVEL = 3;
/** Below this a piece profits more from the stream's history than from ISA-L, which takes none. */
const ISAL_PIECE_BYTES = 64 * 1024;

const PAGE = 0x10000;
// one shared memory: nothing at 0, then scratch, context, history directly before the source, destination, slack
const SCRATCH = PAGE;
const CONTEXT = SCRATCH + WASM_SCRATCH_BYTES;
const SOURCE = CONTEXT + INFLATE_CONTEXT_BYTES + HISTORY_BYTES;
const SOURCE_END = SOURCE + JOB_BYTES + 8;
const DESTINATION = SOURCE + JOB_BYTES + PAGE / 2;
const DESTINATION_BYTES = 2 * JOB_BYTES;
const PAGES = (DESTINATION + DESTINATION_BYTES) / PAGE + 1;

export interface DeflatePiece {
  /** Whose piece it is: one after the other of the same member costs less. */
  owner: object;
  /** At most JOB_BYTES. */
  input: Uint8Array;
  /** What came right before in the same member, at most HISTORY_BYTES. */
  history: Uint8Array;
  level: number;
  isFinal: boolean;
  checksum: ChecksumKind;
  seed: number;
  /** Bytes to leave free before and behind the data, for a header and a trailer. */
  lead: number;
  tail: number;
}

/** Where inflated bytes will be copied to: how many may come, and where in the target's memory the first one goes. */
export interface OutputRoom {
  limit: number;
  place: number;
}

/** Copies to and from shared memory run eight times faster between equal places in an 8-byte word. */
const placeOf = (offset: number): number => offset & 7;

/** Who uses the engine's inflate context. The state of a stream that is not at work is in a Buffer of its own. */
export interface ContextOwner {
  savedContext: Uint8Array | undefined;
}

/** One thread's engine cores over a small memory of their own. Jobs run to their end on the caller's thread. */
export class Engine {
  private readonly bytes: Uint8Array;
  private readonly wasm: DeflateCore;
  private readonly isal: IsalProbe;
  private owner: ContextOwner | undefined;
  /** Whose input the source range holds, with its history before it, and where that ends. */
  private latest: { owner: object; end: number } | undefined;

  constructor() {
    const memory = new WebAssembly.Memory({ initial: PAGES, maximum: PAGES, shared: true });
    this.bytes = new Uint8Array(memory.buffer);
    this.wasm = createWasmCore({ memory, scratch: { offset: SCRATCH, bytes: WASM_SCRATCH_BYTES } });
    this.isal = new IsalProbe(memory);
  }

  /** The core that compresses a long piece at this level. */
  coreFor(level: number): CoreName {
    return level <= ISAL_MAX_LEVEL && this.isal.core ? 'isal' : 'wasm';
  }

  /**
   * One piece of a member: raw DEFLATE that ends on a byte, in a new Buffer with `lead` and `tail` bytes around it.
   * @returns the checksum runs on from `seed`
   */
  deflate(piece: DeflatePiece): { output: Buffer; checksum: number; core: CoreName } {
    const { input, level, isFinal, checksum, seed, lead, tail } = piece;
    const isForIsal =
      level <= ISAL_MAX_LEVEL && (input.length >= ISAL_PIECE_BYTES || piece.history.length === 0);
    const isal = isForIsal ? this.isal.use(input.length) : undefined;
    const history = isal ? 0 : piece.history.length;
    const end = history > 0 && this.latest?.owner === piece.owner ? this.latest.end : undefined;
    const continues = end !== undefined && end + input.length <= SOURCE_END;
    const source = continues ? end : SOURCE + placeOf(input.byteOffset);
    const destination = DESTINATION + placeOf(lead);
    if (history > 0 && !continues) this.bytes.set(piece.history, source - history);
    this.bytes.set(input, source);
    this.latest = isal ? undefined : { owner: piece.owner, end: source + input.length };
    const core = isal ?? this.wasm;
    const result = core.deflate({
      level,
      windowBytes: HISTORY_BYTES,
      isFinal,
      checksum,
      checksumSeed: seed,
      source: { offset: source, bytes: input.length },
      historyBytes: history,
      continues,
      destination: { offset: destination, bytes: DESTINATION_BYTES },
    });
    if (result.outcome !== 'done') throw new Error(`core ${core.name}: ${input.length} bytes grew too much`);
    const output = Buffer.allocUnsafe(lead + result.produced + tail);
    output.set(this.bytes.subarray(destination, destination + result.produced), lead);
    return { output, checksum: result.checksum, core: core.name };
  }

  /**
   * One step of a raw DEFLATE stream. It takes at most 64 KiB of `input` and makes at most `room.limit` bytes.
   * @returns `view` is the engine's own memory: copy it before the next call
   */
  inflate(
    owner: ContextOwner,
    input: Uint8Array,
    { limit, place }: OutputRoom,
    checksum: ChecksumKind,
    seed: number,
    isNew: boolean,
  ): { result: InflateResult; view: Uint8Array } {
    this.own(owner, isNew);
    this.latest = undefined;
    const part = input.length > INFLATE_SOURCE_BYTES ? input.subarray(0, INFLATE_SOURCE_BYTES) : input;
    const source = SOURCE + placeOf(part.byteOffset);
    const destination = DESTINATION + placeOf(place);
    this.bytes.set(part, source);
    const result = this.wasm.inflate({
      checksum,
      checksumSeed: seed,
      source: { offset: source, bytes: part.length },
      destination: { offset: destination, bytes: Math.min(limit, INFLATE_OUTPUT_BYTES) },
      context: CONTEXT,
      isNew,
    });
    return { result, view: this.bytes.subarray(destination, destination + result.produced) };
  }

  /** The stream is over: its state is not kept. */
  release(owner: ContextOwner): void {
    if (this.owner === owner) this.owner = undefined;
    owner.savedContext = undefined;
  }

  private own(next: ContextOwner, isNew: boolean): void {
    if (this.owner === next) return;
    const context = this.bytes.subarray(CONTEXT, CONTEXT + INFLATE_CONTEXT_BYTES);
    if (this.owner) {
      this.owner.savedContext ??= new Uint8Array(INFLATE_CONTEXT_BYTES);
      this.owner.savedContext.set(context);
    }
    if (!isNew && next.savedContext) context.set(next.savedContext);
    this.owner = next;
  }
}

let engine: Engine | undefined;
let hasFailed = false;

/**
 * This thread's engine, made at first use.
 * @returns undefined where it cannot be had (a bundle without core.wasm, say): node:zlib does the work then
 */
export function theEngine(): Engine | undefined {
  if (engine || hasFailed) return engine;
  if (wantedCore() === 'zlib') return undefined;
  try {
    engine = new Engine();
  } catch {
    hasFailed = true;
  }
  return engine;
}
