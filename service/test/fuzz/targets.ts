import { attach } from './attach.ts';
import { config } from './config.ts';
import { context } from './context.ts';
import { gzipHeader } from './gzip-header.ts';
import { http } from './http.ts';
import { sqe } from './sqe.ts';
import { sysfs } from './sysfs.ts';
import type { FuzzTarget } from './target.ts';
import { wsControl } from './ws-control.ts';

/** Every target, in the order of a run over all. */
export const TARGETS: readonly FuzzTarget[] = [
  gzipHeader,
  wsControl,
  http,
  attach,
  sqe,
  context,
  sysfs,
  config,
];
