import { Transform } from 'node:stream';
import * as zlib from 'node:zlib';
import { WarpDriveError } from '../../shared/src/problem.ts';
import type { FaultSnapshot, StackView } from '../../shared/src/telemetry.ts';
import type {
  Codec,
  CodecStream,
  CompressOptions,
  DecompressOptions,
  StreamResult,
} from '../src/codec/codec.ts';
import type { ServedHost } from '../src/service.ts';

const ENCODERS = { gzip: zlib.createGzip, zlib: zlib.createDeflate, deflate: zlib.createDeflateRaw };
const DECODERS = {
  gzip: zlib.createGunzip,
  zlib: zlib.createInflate,
  deflate: zlib.createInflateRaw,
  auto: zlib.createUnzip,
};

type Coder = zlib.Gzip | zlib.Gunzip | zlib.Deflate;

/** A codec on node:zlib, so that the HTTP layer can be tested at edges that a real stack does not reach on demand. */
class DoubleStream extends Transform implements CodecStream {
  private bytesIn = 0;
  private bytesOut = 0;
  constructor(
    private readonly coder: Coder,
    private readonly ended: () => void,
  ) {
    super();
    coder.on('data', (chunk: Buffer) => {
      this.bytesOut += chunk.length;
      this.push(chunk);
    });
    coder.on('error', (error: NodeJS.ErrnoException) => {
      const code = error.code === 'Z_BUF_ERROR' ? 'WD_E_INPUT_TRUNCATED' : 'WD_E_INPUT_CORRUPT';
      this.destroy(new WarpDriveError(code, error.message));
    });
  }
  override _transform(chunk: Buffer, _encoding: string, done: () => void): void {
    this.bytesIn += chunk.length;
    this.coder.write(chunk, done);
  }
  override _flush(done: () => void): void {
    this.coder.once('end', done).end();
  }
  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.coder.destroy();
    this.ended();
    done(error);
  }
  result(): StreamResult {
    return { bytesIn: this.bytesIn, bytesOut: this.bytesOut, crc32: 0, core: 'zlib' };
  }
  flush(callback: () => void): void {
    this.coder.flush(callback);
  }
  giveBack(): void {}
}

export interface Double extends ServedHost {
  /** Codec streams that were made and not destroyed. */
  readonly open: () => number;
  /** The next compression, decompression or one-shot fails with this. */
  failNext(error: Error): void;
  fault(fault: FaultSnapshot): void;
}

export function hostDouble(options: { oneShotBytes?: number } = {}): Double {
  let open = 0;
  let failure: Error | undefined;
  const listeners = new Set<(fault: FaultSnapshot) => void>();
  const faults: FaultSnapshot[] = [];
  const takeFailure = () => {
    const error = failure;
    failure = undefined;
    if (error !== undefined) throw error;
  };
  const stream = (coder: Coder): CodecStream => {
    takeFailure();
    open++;
    return new DoubleStream(coder, () => open--);
  };
  const codec: Codec = {
    oneShotBytes: options.oneShotBytes ?? 64 * 1024,
    compressStream: ({ format, level }: CompressOptions) => stream(ENCODERS[format]({ level })),
    decompressStream: ({ format }: DecompressOptions) => stream(DECODERS[format]()),
    async compressOnce(body, { format, level }) {
      takeFailure();
      const encode = { gzip: zlib.gzipSync, zlib: zlib.deflateSync, deflate: zlib.deflateRawSync }[format];
      const input = Buffer.concat(body);
      const output = encode(input, { level });
      const result: StreamResult = { bytesIn: input.length, bytesOut: output.length, crc32: 0, core: 'zlib' };
      return { chunks: [output], result };
    },
    openJobBuffer: () => {
      throw new Error('the double has no memory of an accelerator');
    },
  };
  const view: StackView = {
    mode: 'sva',
    core: 'zlib',
    coreReason: 'test double',
    emulated: true,
    devices: () => [
      {
        name: 'hisi_zip-0',
        kind: 'emulated',
        hardware: 'zip-v3',
        bdf: '0000:75:00.0',
        faultModel: 'stall',
        queuesTotal: 4,
        queuesFree: 4,
        cores: [{ id: 0, name: 'zlib', where: 'polled', jobs: 0, busyNs: 0 }],
      },
    ],
    mdevs: () => [],
    queues: () => [],
    faults: (since = 0) => faults.filter(({ seq }) => seq > since),
    onFault(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  return {
    codec,
    view,
    close: async () => {},
    open: () => open,
    failNext(error) {
      failure = error;
    },
    fault(fault) {
      faults.push(fault);
      for (const listener of listeners) listener(fault);
    },
  };
}
