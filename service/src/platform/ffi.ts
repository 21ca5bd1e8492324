import { createRequire } from 'node:module';
import type koffi from 'koffi';

let loaded: typeof koffi | undefined;

/** koffi, loaded at the first call: programs that import the library and make no native call do not pay for it. */
export function ffi(): typeof koffi {
  loaded ??= createRequire(import.meta.url)('koffi') as typeof koffi;
  return loaded;
}
