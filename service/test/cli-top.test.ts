import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, it } from 'node:test';
import { BUILT, launch, run } from './cli-process.ts';
import { jsonText, sendWhole } from './http-client.ts';
import { serve } from './serve-process.ts';

const SCREEN = '\u001b[?1049h';
const NORMAL = '\u001b[?1049l';

const terminals = new Set<ChildProcess>();
afterEach(() => {
  for (const child of terminals) child.kill('SIGKILL'); // its pseudo terminal hangs up, which ends the command
  terminals.clear();
});

/** The command in a real pseudo terminal of 40 rows and 150 columns, then the terminal's state. */
function inTerminal(args: string[]) {
  const command = `tty; stty rows 40 cols 150; "${process.execPath}" "${BUILT}" ${args.join(' ')}; echo "code $?"; stty -a`;
  const child = spawn('script', ['-qfec', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] });
  terminals.add(child);
  let all = '';
  const ended = once(child, 'exit');
  child.stdout.on('data', (chunk: Buffer) => {
    all += chunk.toString();
  });
  return {
    child,
    all: () => all,
    type: (keys: string) => void child.stdin.write(keys),
    /** Waits until the text since `from` has the pattern. */
    async until(pattern: RegExp, from = 0): Promise<void> {
      while (!pattern.test(all.slice(from))) {
        if (child.exitCode !== null) throw new Error(`ended before ${pattern}: ${all.slice(-2000)}`);
        await Promise.race([once(child.stdout, 'data'), ended]);
      }
    },
  };
}

/** Passes connections on to `url` until it is cut; lets the feed lose its service without ending it. */
async function cuttable(url: string): Promise<{ url: string; cut(): void; server: Server }> {
  const { connect } = await import('node:net');
  const { port, hostname } = new URL(url);
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    near.pipe(far).pipe(near);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {});
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address() as { port: number };
  const cut = () => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  return { url: `http://127.0.0.1:${address.port}`, cut, server };
}

const noScript = spawnSync('script', ['--version']).error === undefined ? false : 'script is not installed';

describe('warpdrive top', () => {
  it('prints one reading as text or JSON and exits 0', async () => {
    const { url } = await serve();
    const text = await run(['top', '--url', url, '--once']);
    assert.equal(text.code, 0, text.stderr);
    assert.match(text.stdout.toString(), /live\n.*core [\s\S]*QUEUEv +OWNER[\s\S]*hisi_zip-0\/0/);
    assert.ok(!text.stdout.includes('\u001b'));
    const json = await run(['top', '--url', url, '--once', '--json']);
    const reading = JSON.parse(json.stdout.toString()) as { queues: unknown[]; rates: { bytesIn: number } };
    assert.ok(reading.queues.length > 0);
    assert.equal(reading.rates.bytesIn, 0);
    assert.equal((await run(['top', '--sort', 'bogus'])).code, 2);
  });

  it('exits 69 with a sentence when no service answers and it is to print once', async () => {
    const { code, stderr } = await run(['top', '--once', '--url', 'http://127.0.0.1:1']);
    assert.equal(code, 69);
    assert.match(stderr, /No service answers at http:\/\/127\.0\.0\.1:1: .*ECONNREFUSED/);
  });

  it('goes on after the connection broke, and ends when its reader does', async () => {
    const { url } = await serve();
    const between = await cuttable(url);
    const { child, result } = launch(['top', '--json', '--interval', '250ms', '--url', between.url]);
    let lines = 0;
    let warned = '';
    child.stdout!.on('data', () => lines++);
    child.stderr!.on('data', (chunk: Buffer) => {
      warned += chunk.toString();
    });
    while (lines < 2) await once(child.stdout!, 'data');
    between.cut();
    while (!warned.includes('reconnecting: the connection ended')) await once(child.stderr!, 'data');
    const before = lines;
    while (lines < before + 2) await once(child.stdout!, 'data');
    child.stdout!.destroy();
    assert.equal((await result).code, 0);
    between.cut();
    between.server.close();
  });

  it('is a screen that obeys keys and resizing and gives the terminal back', { skip: noScript }, async () => {
    const { url } = await serve();
    await sendWhole(`${url}/v1/compress`, jsonText(1000));
    const screen = inTerminal(['top', '--interval', '250ms', '--url', url]);
    await screen.until(/live[\s\S]*QUEUEv/);
    assert.ok(screen.all().includes(SCREEN));
    let from = screen.all().length;
    screen.type('s');
    await screen.until(/OWNERv/, from);
    screen.type('/decomp');
    await screen.until(/filter: decomp_/, from);
    screen.type('\r');
    await screen.until(/queues do not match the filter/, from);
    screen.type('?');
    await screen.until(/order by the next, the previous column/, from);
    screen.type('? ');
    await screen.until(/PAUSED/, from);
    const device = /\/dev\/pts\/\d+/.exec(screen.all())?.[0] ?? '';
    from = screen.all().length;
    spawnSync('stty', ['-F', device, 'rows', '12', 'cols', '40']);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the cursor goes to the new last row
    await screen.until(/\u001b\[12;1H/, from);
    screen.type('q');
    await screen.until(/code 0[\s\S]*isig/);
    const end = screen.all().slice(screen.all().lastIndexOf(NORMAL));
    assert.match(end, /[^-]icanon/);
    assert.match(end, /[^-]echo /);
  });

  it('gives the terminal back when it is told to end, and says that the service is gone', {
    skip: noScript,
  }, async () => {
    const service = await serve();
    const screen = inTerminal(['top', '--interval', '250ms', '--url', service.url]);
    await screen.until(/live[\s\S]*QUEUEv/);
    service.child.kill('SIGKILL');
    await screen.until(/RECONNECTING in .*figures are/);
    screen.type('\u0003');
    await screen.until(/code 0[\s\S]*isig/);
    assert.match(screen.all().slice(screen.all().lastIndexOf(NORMAL)), /[^-]icanon/);
  });
});
