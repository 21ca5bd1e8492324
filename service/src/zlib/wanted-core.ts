import { CORE_NAMES, type CoreName } from '../../../shared/src/telemetry.ts';

/** WARPDRIVE_CORE, as for the service: `wasm`, `isal` or `zlib`; anything else is `auto`. */
export function wantedCore(): CoreName | 'auto' {
  const wanted = process.env['WARPDRIVE_CORE'];
  return CORE_NAMES.find((name) => name === wanted) ?? 'auto';
}
