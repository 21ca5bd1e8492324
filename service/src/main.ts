#!/usr/bin/env -S node --initial-heap-size=128 --heap-growing-percent=300 --max-semi-space-size=4
import { run } from './cli/program.ts';

const code = await run(process.argv);
if (code !== undefined) process.exit(code);
