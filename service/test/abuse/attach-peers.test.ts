/** What a process at the attach socket may try beyond what attach-faults.test.ts has. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { connect as connectSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { AttachConnection } from '../../src/attach/client.ts';
import { encodeFrame, OPCODE, PayloadWriter } from '../../src/attach/protocol.ts';
import { createHost } from '../../src/host.ts';
import { connect } from '../../src/library/index.ts';
import { silentLog } from '../../src/platform/log.ts';
import { openProcessMemory } from '../../src/platform/process-memory.ts';
import { eventually } from '../http-service.ts';
import { withHost } from '../support/attach-host.ts';

const MIB = 1024 * 1024;
const NOBODY = 65_534;
const MAX_CONNECTIONS = 256;
const MAX_DMA_FILES = 64;
const IS_ROOT = process.getuid?.() === 0;
const skip = IS_ROOT ? false : 'needs root, to act as another user';

/** What a script says in a process of its own, as user `uid`. */
async function scriptAs(uid: number | undefined, code: string, ...args: string[]): Promise<string> {
  const child = spawn(process.execPath, ['-e', code, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: '/',
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  await once(child, 'close');
  return said;
}

const hello = encodeFrame(OPCODE.hello, 1, new PayloadWriter().u32(1).finish());

describe('another user', () => {
  it('may not connect to the attach socket, nor open a queue’s memory', { skip }, async () => {
    await withHost({}, async ({ path }) => {
      chmodSync(join(path, '..'), 0o755); // so that the socket's own mode is what is tried
      const connecting =
        'require("net").connect(process.argv[1]).on("connect", () => { console.log("connected"); process.exit() }).on("error", (e) => console.log(e.code))';
      assert.equal((await scriptAs(undefined, connecting, path)).trim(), 'connected');
      assert.equal((await scriptAs(NOBODY, connecting, path)).trim(), 'EACCES');
      const opened = await AttachConnection.open({ path, mode: 'sva', name: 'files' });
      const raw = opened as unknown as {
        request(
          opcode: number,
          body: PayloadWriter,
        ): Promise<{ u16(): number; u32(): number; text(): string }>;
      };
      const answer = await raw.request(OPCODE.openQueue, new PayloadWriter().u8(0).u8(0));
      answer.u16();
      answer.u16();
      answer.u32();
      answer.u32();
      const file = answer.text();
      const opening =
        'try { require("fs").openSync(process.argv[1], "r+"); console.log("opened") } catch (e) { console.log(e.code) }';
      assert.equal((await scriptAs(undefined, opening, file)).trim(), 'opened');
      assert.equal((await scriptAs(NOBODY, opening, file)).trim(), 'EACCES');
      opened.close();
    });
  });

  it('is not looked at when its rights changed since it connected', { skip }, async () => {
    await withHost({}, async ({ path }) => {
      chmodSync(join(path, '..'), 0o755);
      chownSync(path, NOBODY, NOBODY);
      const attach = encodeFrame(OPCODE.attach, 2, new PayloadWriter().u8(0).text('x').text('').finish());
      // connects as nobody and is root when it attaches, as a program with the set-user-id bit would be
      const code = `process.setegid(${NOBODY}); process.seteuid(${NOBODY});
        const socket = require('net').connect(process.argv[1], () => {
          process.seteuid(0); process.setegid(0);
          socket.write(Buffer.from('${Buffer.concat([hello, attach]).toString('hex')}', 'hex'));
        });
        let all = Buffer.alloc(0);
        socket.on('data', (chunk) => { all = Buffer.concat([all, chunk]); if (all.length > 20) { console.log(all.readUInt16LE(20 + 6)); process.exit(); } });`;
      assert.equal((await scriptAs(undefined, code, path)).trim(), '13', 'EACCES');
    });
  });

  it('cannot have prepared the folder of the socket', { skip }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'warpdrive-squat-'));
    const host = await createHost({ mode: 'sva', core: 'wasm', cores: 0, queues: 2 }, silentLog);
    try {
      const theirs = join(folder, 'theirs');
      mkdirSync(theirs);
      chownSync(theirs, NOBODY, NOBODY);
      const open = join(folder, 'open');
      mkdirSync(open);
      chmodSync(open, 0o777);
      for (const place of [theirs, open])
        await assert.rejects(
          host.listenForProcesses(join(place, 'attach.sock'), () => false),
          {
            code: 'WD_E_EACCES',
          },
        );
    } finally {
      await host.close();
      rmSync(folder, { recursive: true });
    }
  });
});

describe('a process that executes another program', () => {
  it('is gone for the device: the old addresses are another owner’s', async () => {
    const child = spawn('sh', ['-c', 'read line; exec sleep 60'], { stdio: ['pipe', 'ignore', 'inherit'] });
    const memory = openProcessMemory(child.pid ?? 0);
    try {
      assert.equal(memory.isGone(), false);
      child.stdin.end('go\n');
      await eventually(() => memory.isGone(), 'the program was replaced');
      assert.equal(child.exitCode, null, 'and runs');
    } finally {
      memory.close();
      child.kill('SIGKILL');
    }
  });
});

describe('a process that floods', () => {
  it('gets no more answers than it reads', async () => {
    await withHost({}, async ({ path }) => {
      const socket = connectSocket(path);
      socket.on('error', () => {});
      await once(socket, 'connect');
      socket.pause();
      const chunk = Buffer.alloc(hello.length * 4096, hello);
      let taken = 0;
      // one at a time: of a write with several chunks in it nothing shows how far it came
      const send = (): void => {
        taken += chunk.length;
        if (taken < 16 * MIB) socket.write(chunk, (error) => error ?? send());
      };
      socket.write(chunk, send);
      // until nothing moves any more: either all was taken, or the service waits for us
      await eventually(async () => {
        const before = taken;
        await new Promise((next) => setTimeout(next, 1000));
        return taken === before;
      }, 'nothing moves');
      assert.ok(taken < 16 * MIB, 'the service took everything and keeps the answers');
      socket.destroy();
      const wd = await connect({ path });
      wd.close();
    });
  });

  it(`gets ${MAX_DMA_FILES} pieces of shared memory and ENOMEM for one more`, async () => {
    await withHost({ mode: 'vfio' }, async ({ host, path }) => {
      host.kernel.createMdev({ type: 'hisi_zip-zip' }, true);
      const wd = await connect({ path, mode: 'vfio' });
      for (let i = 0; i < MAX_DMA_FILES; i++) await wd.allocate(4096);
      await assert.rejects(wd.allocate(4096), { code: 'WD_E_NO_MEMORY' });
      wd.close();
    });
  });

  it(`finds ${MAX_CONNECTIONS} connections at most`, async () => {
    await withHost({}, async ({ path }) => {
      const sockets = Array.from({ length: MAX_CONNECTIONS + 8 }, () => connectSocket(path));
      let closed = 0;
      for (const socket of sockets) {
        socket.on('error', () => {});
        socket.on('close', () => closed++).resume();
      }
      await eventually(() => closed >= 8, 'those over it are closed');
      assert.equal(closed, 8);
      for (const socket of sockets) socket.destroy();
      await eventually(
        () =>
          connect({ path }).then(
            (wd) => {
              wd.close();
              return true;
            },
            () => false,
          ),
        'there is room again',
      );
    });
  });
});

describe('a process’s name', () => {
  it('is shown without what a terminal would execute', async () => {
    await withHost({}, async ({ host, path }) => {
      const wd = await connect({ path, name: 'x\x1b[2J\n\u009b\u2028y' });
      await wd.openQueue({ operation: 'compress' });
      const names = host.view.queues().map(({ owner }) => owner.name);
      assert.ok(names.includes('x?[2J???y'), JSON.stringify(names));
      wd.close();
    });
  });
});
