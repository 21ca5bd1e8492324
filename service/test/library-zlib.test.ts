import { describe, it } from 'node:test';
import * as node from 'node:zlib';
import * as ours from '../src/library/index.ts';
import type { Zlib } from './zlib-behaviours/behaviour.ts';
import { ERRORS } from './zlib-behaviours/errors.ts';
import { ONE_SHOT } from './zlib-behaviours/one-shot.ts';
import { STREAMS } from './zlib-behaviours/streams.ts';

/** What a user's code relies on today, with the same assertions for what it imports now and for what replaces it. */
const TABLE = { 'one-shot functions': ONE_SHOT, streams: STREAMS, errors: ERRORS };
const MAKERS: [string, Zlib][] = [
  ['node:zlib', node],
  ['warpdrive', ours as unknown as Zlib],
];

for (const [maker, zlib] of MAKERS)
  for (const [topic, behaviours] of Object.entries(TABLE))
    describe(`${maker}: ${topic}`, () => {
      for (const { name, run } of behaviours) it(name, { timeout: 20_000 }, () => run(zlib));
    });
