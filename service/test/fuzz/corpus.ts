/** Inputs in the repository: seeds that reached new code, and every input that once found something. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** From dist/service/test/fuzz to the sources, where the corpus is kept. */
const CORPUS = fileURLToPath(new URL('../../../../service/test/fuzz/corpus', import.meta.url));

export function corpusOf(target: string): { name: string; input: Uint8Array }[] {
  const folder = join(CORPUS, target);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .map((name) => ({ name, input: readFileSync(join(folder, name)) }));
}

/** @param kind the start of the file's name: `finding`, `hang` or `seed` @returns the file's path */
export function saveInput(target: string, kind: string, input: Uint8Array): string {
  const folder = join(CORPUS, target);
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${kind}-${createHash('sha256').update(input).digest('hex').slice(0, 10)}.bin`);
  writeFileSync(path, input);
  return path;
}
