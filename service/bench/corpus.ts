import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';

/** Payload families of the codec benchmark: real files of node_modules in path order, and generated data. */
export const TEXT_FAMILIES = ['json', 'html', 'js', 'css-svg', 'text', 'logs', 'source-tar'] as const;
export const DENSE_FAMILIES = ['random', 'gzip'] as const;
export type Family = (typeof TEXT_FAMILIES)[number] | (typeof DENSE_FAMILIES)[number];

const FAMILY_BYTES = 2 << 20;
const NODE_MODULES = join(projectRoot(import.meta.dirname), 'node_modules');
const LARGEST_FILE_BYTES = 400_000;

/** The same from the sources and from dist/, which lies one level deeper. */
function projectRoot(from: string): string {
  return existsSync(join(from, 'package.json')) ? from : projectRoot(dirname(from));
}

/** Deterministic numbers (xorshift32): the same corpus on every run and machine. */
export function randomSource(seed: number): (below: number) => number {
  let state = seed | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

let allFiles: readonly string[] | undefined;

function listFiles(): readonly string[] {
  allFiles ??= readdirSync(NODE_MODULES, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  return allFiles;
}

/** File contents with one of the suffixes, spread evenly over all packages, up to `bytes` in total. */
function readFiles(suffixes: readonly string[], bytes: number): { name: string; content: Buffer }[] {
  const names = listFiles().filter((name) => suffixes.some((suffix) => name.endsWith(suffix)));
  const sized = names
    .map((name) => ({ name, bytes: statSync(name).size }))
    .filter((file) => file.bytes > 200 && file.bytes < LARGEST_FILE_BYTES);
  const total = sized.reduce((sum, file) => sum + file.bytes, 0);
  const share = Math.min(1, (bytes * 1.1) / total);
  const picked: { name: string; content: Buffer }[] = [];
  let owed = 0;
  for (const file of sized) {
    owed += file.bytes * share;
    if (owed < file.bytes) continue;
    owed -= file.bytes;
    picked.push({ name: file.name.slice(NODE_MODULES.length + 1), content: readFileSync(file.name) });
  }
  return picked;
}

function concatenated(...suffixes: string[]): Buffer {
  return Buffer.concat(readFiles(suffixes, FAMILY_BYTES).map((file) => file.content));
}

/** Pages of a documentation site made from the README files: shared head and navigation, then marked-up text. */
function htmlPages(): Buffer {
  const escapeHtml = (text: string): string =>
    text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  const files = readFiles(['.md'], FAMILY_BYTES);
  const pages = files.map(({ name, content }, page) => {
    const body = escapeHtml(content.toString('utf8'))
      .split(/\n{2,}/)
      .map((block, i) => {
        if (block.startsWith('#')) return `<h2 id="section-${page}-${i}">${block.replace(/^#+ */, '')}</h2>`;
        if (/^[-*] /.test(block)) {
          const items = block
            .split('\n')
            .map((line) => `  <li class="item">${line.replace(/^[-*] /, '')}</li>`);
          return `<ul class="list">\n${items.join('\n')}\n</ul>`;
        }
        return `<p>${block.replace(/\[([^\]]*)\]\(([^)]*)\)/g, '<a href="$2" rel="noopener">$1</a>')}</p>`;
      });
    const links = files
      .slice(page, page + 8)
      .map((file) => `    <a class="nav-link" href="/docs/${file.name}">${file.name}</a>`);
    return [
      '<!doctype html>\n<html lang="en">\n<head>\n  <meta charset="utf-8">',
      `  <title>${name}</title>\n  <link rel="stylesheet" href="/assets/site.css">\n</head>\n<body>`,
      `  <nav class="nav">\n${links.join('\n')}\n  </nav>\n  <main class="content">`,
      ...body,
      '  </main>\n</body>\n</html>\n',
    ].join('\n');
  });
  return Buffer.from(pages.join(''));
}

function accessLog(): Buffer {
  const random = randomSource(4);
  const paths = ['/v1/compress', '/v1/status', '/monitor/', '/assets/site.css', '/v1/queues', '/healthz'];
  const agents = [
    'Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0',
    'curl/8.9.1',
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0 Safari/537.36',
    'kube-probe/1.30',
  ];
  const lines: string[] = [];
  let at = Date.UTC(2025, 0, 1);
  for (let bytes = 0; bytes < FAMILY_BYTES; ) {
    at += random(900);
    const address = `10.${random(4)}.${random(256)}.${random(256)}`;
    const status = random(20) === 0 ? 404 + random(100) : 200;
    const path = `${paths[random(paths.length)]}?level=${1 + random(9)}&id=${random(1_000_000).toString(36)}`;
    const line = `${address} - - [${new Date(at).toISOString()}] "GET ${path} HTTP/1.1" ${status} ${random(90_000)} "-" "${agents[random(agents.length)]}" rt=0.${String(random(1000)).padStart(3, '0')}\n`;
    lines.push(line);
    bytes += line.length;
  }
  return Buffer.from(lines.join(''));
}

/** A ustar archive: 512-byte headers and padding between the files. */
function sourceTar(): Buffer {
  const blocks: Buffer[] = [];
  for (const { name, content } of readFiles(['.ts'], FAMILY_BYTES)) {
    const header = Buffer.alloc(512);
    header.write(name.slice(-99), 0);
    header.write('0000644\0' + '0001750\0' + '0001750\0', 100);
    header.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124);
    header.write('14720000000\0        0', 136);
    header.write('ustar\0' + '00builder', 257);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    blocks.push(header, content, Buffer.alloc(-content.length & 511));
  }
  return Buffer.concat(blocks);
}

function randomBytes(bytes: number): Buffer {
  const random = randomSource(7);
  const buffer = Buffer.alloc(bytes);
  for (let i = 0; i < bytes; i++) buffer[i] = random(0x1000000) >>> 11;
  return buffer;
}

/** At least 1 MiB of the family's data, the same on every run over the same node_modules. */
export function familyData(family: Family): Buffer {
  switch (family) {
    case 'json':
      return concatenated('.json');
    case 'html':
      return htmlPages();
    case 'js':
      return concatenated('.js', '.mjs');
    case 'css-svg': {
      const once = concatenated('.css', '.svg');
      return Buffer.concat(new Array(Math.ceil(FAMILY_BYTES / once.length)).fill(once));
    }
    case 'text':
      return concatenated('.md', '.txt', 'LICENSE');
    case 'logs':
      return accessLog();
    case 'source-tar':
      return sourceTar();
    case 'random':
      return randomBytes(FAMILY_BYTES);
    case 'gzip':
      return gzipSync(Buffer.concat([concatenated('.js'), concatenated('.ts'), concatenated('.md')]));
  }
}

/** `count` pieces of `bytes` each, spread evenly over the data. */
export function piecesOf(data: Buffer, bytes: number, count: number): Buffer[] {
  const step = Math.max(0, Math.floor((data.length - bytes) / Math.max(1, count - 1)));
  return Array.from({ length: count }, (_, i) => data.subarray(i * step, i * step + bytes));
}
