import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import { file, folder, launch, run } from './cli-process.ts';
import { jsonText } from './http-client.ts';
import { decoders, encoders } from './http-oracle.ts';

const text = jsonText(3_000_000);

describe('warpdrive compress and decompress', () => {
  it('write beside the input and keep it, as any gzip reader expects', async () => {
    writeFileSync(file('a.log'), text);
    assert.deepEqual((await run(['compress', 'a.log'])).code, 0);
    assert.ok(decoders.gzip(readFileSync(file('a.log.gz'))).equals(text));
    assert.equal(Math.round(statSync(file('a.log.gz')).mtimeMs), Math.round(statSync(file('a.log')).mtimeMs));
    rmSync(file('a.log'));
    assert.equal((await run(['decompress', '--rm', 'a.log.gz'])).code, 0);
    assert.ok(readFileSync(file('a.log')).equals(text));
    assert.deepEqual(readdirSync(folder), ['a.log']);
  });

  it('pass standard input to standard output in every format', async () => {
    for (const [format, level] of [
      ['gzip', '-1'],
      ['zlib', '-9'],
      ['deflate', '--level=6'],
    ] as const) {
      const packed = await run(['compress', '--format', format, level], text);
      assert.ok(decoders[format](packed.stdout).equals(text), `${format} ${level}: ${packed.stderr}`);
      const unpacked = await run(['decompress', '--format', format, '-'], packed.stdout);
      assert.ok(unpacked.stdout.equals(text));
    }
    assert.deepEqual(decoders.gzip((await run(['compress'])).stdout), Buffer.alloc(0));
  });

  it('refuse to replace a file unless forced: 73', async () => {
    writeFileSync(file('a'), 'new');
    writeFileSync(file('a.gz'), 'old');
    const refused = await run(['compress', 'a']);
    assert.equal(refused.code, 73);
    assert.match(refused.stderr, /a\.gz exists already; use --force/);
    assert.equal(readFileSync(file('a.gz'), 'utf8'), 'old');
    assert.equal((await run(['compress', '--force', 'a'])).code, 0);
    assert.equal(decoders.gzip(readFileSync(file('a.gz'))).toString(), 'new');
    assert.equal((await run(['compress', 'a', '-o', 'no/such/folder'])).code, 73);
  });

  it('leave nothing behind when the data is corrupt or cut: 65', async () => {
    const packed = encoders.gzip(text);
    writeFileSync(file('cut.gz'), packed.subarray(0, -20));
    packed[packed.length >> 1]! ^= 0xff;
    writeFileSync(file('corrupt.gz'), packed);
    for (const name of ['cut.gz', 'corrupt.gz']) {
      const { code, stderr } = await run(['decompress', name]);
      assert.equal(code, 65, stderr);
      assert.match(stderr, new RegExp(`^warpdrive: ${name}: `));
    }
    assert.deepEqual(readdirSync(folder).sort(), ['corrupt.gz', 'cut.gz']);
  });

  it('go by the suffix where there is one, so that what is no gzip file is called so', async () => {
    writeFileSync(file('words.gz'), 'these are words');
    const { code, stdout, stderr } = await run(['decompress', '-c', 'words.gz']);
    assert.equal(code, 65);
    assert.equal(stdout.length, 0);
    assert.match(stderr, /words\.gz: not a gzip header: magic bytes 1f 8b are missing/);
    writeFileSync(file('words.deflate'), deflateRawSync('these are words'));
    assert.equal((await run(['decompress', '-c', 'words.deflate'])).stdout.toString(), 'these are words');
  });

  it('remove the partial file when interrupted: 130', async () => {
    const { child, result } = launch(['compress', '-o', 'out.gz']);
    child.stdin?.write(text);
    while (!readdirSync(folder).some((name) => name.includes('.part-'))) await new Promise(setImmediate);
    child.kill('SIGINT');
    assert.equal((await result).code, 130);
    assert.deepEqual(readdirSync(folder), []);
  });

  it('explain wrong usage: 2', async () => {
    for (const args of [
      ['compress', '--level', '10'],
      ['compress', '--format', 'zip'],
      ['decompress', 'name-without-suffix'],
      ['compres'],
      ['compress', '--bogus'],
    ]) {
      const { code, stderr } = await run(args);
      assert.equal(code, 2, args.join(' '));
      assert.ok(stderr.length > 20);
    }
    assert.equal((await run(['compress', 'missing'])).code, 1);
  });
});

describe('warpdrive --help', () => {
  it('shows commands, examples and exit codes', async () => {
    for (const args of [['--help'], ['serve', '--help'], ['compress', '--help'], ['queues', '--help']]) {
      const { code, stdout } = await run(args);
      assert.equal(code, 0);
      assert.match(stdout.toString(), /Examples:\n {2}\$ warpdrive [\s\S]*Exit codes: 0 done/);
    }
  });
});
