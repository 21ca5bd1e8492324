import { spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { DeflateCore } from '../emulator/deflate/core.ts';
import { createIsalCore } from '../emulator/deflate/isal-core.ts';
import { wantedCore } from './wanted-core.ts';

/** Input that ISA-L could have taken before the self-test is worth its process: short scripts never start one. */
const WORTH_BYTES = 4 * 1024 * 1024;
const SELF_TEST = new URL('../emulator/engine/core-self-test.js', import.meta.url);
const SELF_TEST_LIMIT_MS = 20_000;

/**
 * ISA-L, once it has passed its self-test in a process of its own; until then, or without it, the WASM core works.
 * WARPDRIVE_CORE=isal tests at the first use and waits for it, WARPDRIVE_CORE=wasm never tests.
 */
export class IsalProbe {
  core: DeflateCore | undefined;
  private isDecided: boolean;
  private bytes = 0;

  constructor(private readonly memory: WebAssembly.Memory) {
    const wanted = wantedCore();
    this.isDecided = wanted === 'wasm' || process.platform === 'win32';
    if (wanted !== 'isal') return;
    this.isDecided = true;
    const test = spawnSync(process.execPath, [fileURLToPath(SELF_TEST), 'isal'], {
      timeout: SELF_TEST_LIMIT_MS,
    });
    if (test.status === 0) this.adopt();
  }

  /** @param bytes input of a piece that it may take */
  use(bytes: number): DeflateCore | undefined {
    if (!this.isDecided) {
      this.bytes += bytes;
      if (this.bytes >= WORTH_BYTES) this.test();
    }
    return bytes > 0 ? this.core : undefined;
  }

  /** The child holds nothing open here: this process may end before it. */
  private test(): void {
    this.isDecided = true;
    try {
      const child = spawn(process.execPath, [fileURLToPath(SELF_TEST), 'isal'], {
        stdio: 'ignore',
        env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' },
      });
      child.unref();
      child.on('error', () => {});
      child.on('exit', (code) => {
        if (code === 0) this.adopt();
      });
    } catch {
      // child processes are forbidden here (node --permission): stay with the WASM core
    }
  }

  private adopt(): void {
    try {
      this.core = createIsalCore(this.memory);
    } catch {
      // the library went away since the test
    }
  }
}
