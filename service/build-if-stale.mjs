// `npm start`: builds unless everything that `npm run build` makes is there and newer than all it is made from.
import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const SOURCES = [
  'app/src',
  'service/src',
  'service/bench',
  'service/test',
  'shared',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.build.json',
];
/** One product of each step of the build. */
const PRODUCTS = [
  'dist/service/src/main.js',
  'dist/service/src/emulator/deflate/core.wasm',
  'dist/app/renderer/index.html',
  'dist/app/launch/launch.js',
];

/** A folder counts too: its time tells of files that were removed. */
function* withContents(path) {
  yield path;
  if (statSync(path).isDirectory())
    for (const name of readdirSync(path)) yield* withContents(join(path, name));
}

const timeOf = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
const builtAt = Math.min(...PRODUCTS.map(timeOf));
const newer = SOURCES.flatMap((path) => [...withContents(path)]).find((path) => timeOf(path) > builtAt);
if (newer !== undefined) {
  console.error(builtAt === 0 ? 'building' : `building: ${newer} is newer than dist`);
  process.exitCode = spawnSync('npm', ['run', '-s', 'build'], { stdio: 'inherit' }).status ?? 1;
}
