#!/usr/bin/env node
import { run } from './cli/program.ts';

const code = await run(process.argv);
if (code !== undefined) process.exit(code);
