import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hostDouble } from '../../test/http-double.ts';
import { Counters } from '../telemetry/counters.ts';
import { type StreamRequest, StreamRequests } from './stream-request.ts';

const requests = () =>
  new StreamRequests(new Counters(hostDouble().view), { maxInput: 10, maxOutput: 20, maxRatio: 30 });

const optionsOf = (request: StreamRequest | undefined) =>
  request === undefined || request.op === 'identity' ? undefined : request.options;
/** Value of a header field in the flat list. */
const field = (request: StreamRequest | undefined, name: string) =>
  request?.fields[request.fields.indexOf(name) + 1];

describe('StreamRequests.of', () => {
  it('gives gzip at level 1 to a bare URL', () => {
    const request = requests().of('/v1/compress', {});
    assert.deepEqual(optionsOf(request), { format: 'gzip', level: 1, owner: 'http', maxInputBytes: 10 });
    assert.equal(field(request, 'Content-Type'), 'application/gzip');
  });
  it('reads format and level', () => {
    const request = requests().of('/v1/compress?level=9&format=deflate', {});
    assert.deepEqual(optionsOf(request), { format: 'deflate', level: 9, owner: 'http', maxInputBytes: 10 });
    assert.equal(field(request, 'Content-Type'), 'application/octet-stream');
  });
  it('detects the format of a decompression unless it is named', () => {
    const limits = { maxInputBytes: 10, maxOutputBytes: 20, maxRatio: 30 };
    assert.deepEqual(optionsOf(requests().of('/v1/decompress', {})), { format: 'auto', ...limits });
    assert.deepEqual(optionsOf(requests().of('/v1/decompress?format=zlib', {})), {
      format: 'zlib',
      ...limits,
    });
  });
  it('takes a request with the same URL but other header fields for another one', () => {
    const known = requests();
    for (const [accept, format] of [
      ['application/zlib', 'zlib'],
      ['*/*', 'gzip'],
      ['application/gzip;q=0.5, application/zlib', 'zlib'],
      ['application/x-gzip', 'gzip'],
    ])
      assert.equal(known.of('/v1/compress', { accept })?.subject.format, format, accept);
  });
  it('writes a file name into header and disposition', () => {
    const request = requests().of(`/v1/compress?name=${encodeURIComponent('späte (1).txt')}`, {});
    assert.equal(
      field(request, 'Content-Disposition'),
      `attachment; filename="sp_te (1).txt.gz"; filename*=UTF-8''sp%C3%A4te%20%281%29.txt.gz`,
    );
  });
  it('leaves other routes alone', () => {
    for (const url of ['/', '/v1/status', '/v1/compress/', '/v1/compressed', '/v1/jobs?x=/v1/compress'])
      assert.equal(requests().of(url, {}), undefined, url);
  });
  it('names parameter, value and what is allowed', () => {
    const cases: [string, string, string][] = [
      ['/v1/compress?level=0', 'level', '0'],
      ['/v1/compress?level=10', 'level', '10'],
      ['/v1/compress?level=1.0', 'level', '1.0'],
      ['/v1/compress?level=', 'level', ''],
      ['/v1/compress?format=auto', 'format', 'auto'],
      ['/v1/compress?format=GZIP', 'format', 'GZIP'],
      ['/v1/compress?lvl=1', 'lvl', '1'],
      ['/v1/compress?level=1&level=2', 'level', '2'],
      ['/v1/compress?__proto__=1', '__proto__', '1'],
      ['/v1/decompress?level=1', 'level', '1'],
    ];
    for (const [url, parameter, value] of cases)
      assert.throws(
        () => requests().of(url, {}),
        { code: 'WD_E_PARAMETER', details: { parameter, value, allowed: allowedOf(parameter, url) } },
        url,
      );
  });
  it('forgets URLs rather than growing without bound', () => {
    const known = requests();
    for (let i = 0; i < 1000; i++)
      known.of(`/v1/compress?level=${(i % 9) + 1}&format=gzip${'&'.repeat(i)}`, {});
    assert.equal(known.of('/v1/compress?level=9', {})?.subject.format, 'gzip');
  });
});

function allowedOf(parameter: string, url: string): string[] {
  const isCompress = url.startsWith('/v1/compress');
  if (isCompress && parameter === 'level') return ['1', '2', '3', '4', '5', '6', '7', '8', '9'];
  if (parameter === 'format') return ['gzip', 'zlib', 'deflate'];
  return isCompress ? ['format', 'level', 'as', 'flush', 'name'] : ['format'];
}
