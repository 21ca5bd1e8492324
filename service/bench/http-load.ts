/** Load for the HTTP benchmark from another process: wrk if it is installed, else a small generator in Node. */
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export interface LoadResult {
  requests: number;
  seconds: number;
  failures: number;
  p50Us: number;
  p99Us: number;
}

export interface Load {
  url: string;
  /** Bodies to POST; their sizes alone matter with `paths`. */
  bodies: readonly Buffer[];
  /** GET these instead, in turns. */
  paths?: readonly string[];
  connections: number;
  seconds: number;
  /** Prefix of the command, e.g. `taskset -c 1`. */
  pin: readonly string[];
}

const run = promisify(execFile);
export const hasWrk = spawnSync('wrk', ['-v']).error === undefined;

/** Requests are made once, one a body, and sent in turns; `done` prints what wrk measured. */
const WRK_SCRIPT = (files: readonly string[], paths: readonly string[]) => `
local requests, n = {}, 0
function init()
  for _, path in ipairs({${paths.map((path) => `"${path}"`).join(',')}}) do
    requests[#requests + 1] = wrk.format("GET", path, { ["Accept-Encoding"] = "gzip" })
  end
  for _, name in ipairs({${files.map((file) => `"${file}"`).join(',')}}) do
    local file = io.open(name, "rb")
    requests[#requests + 1] = wrk.format("POST", nil, nil, file:read("*a"))
    file:close()
  end
end
function request()
  n = n % #requests + 1
  return requests[n]
end
function done(summary, latency)
  local e = summary.errors
  io.write(string.format('\\nRESULT {"requests":%d,"seconds":%f,"failures":%d,"p50Us":%f,"p99Us":%f}\\n', summary.requests,
    summary.duration / 1e6, e.connect + e.read + e.write + e.status + e.timeout, latency:percentile(50), latency:percentile(99)))
end
`;

export async function applyLoad(load: Load): Promise<LoadResult> {
  const folder = mkdtempSync(join(tmpdir(), 'warpdrive-bench-'));
  try {
    const { paths = [] } = load;
    const posted = paths.length > 0 && hasWrk ? [] : load.bodies;
    const files = posted.map((body, i) => {
      const file = join(folder, `body-${i}`);
      writeFileSync(file, body);
      return file;
    });
    const script = join(folder, 'post.lua');
    writeFileSync(script, WRK_SCRIPT(files, paths));
    const { url, connections, seconds, pin } = load;
    const wrk = ['wrk', '-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '10s', '-s', script, url];
    const own = [
      process.execPath,
      fileURLToPath(import.meta.url),
      url,
      String(connections),
      String(seconds),
      folder,
      ...paths,
    ];
    const [command = '', ...args] = [...pin, ...(hasWrk ? wrk : own)];
    const { stdout } = await run(command, args);
    return JSON.parse(stdout.slice(stdout.lastIndexOf('RESULT ') + 'RESULT '.length)) as LoadResult;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The generator without wrk: keep-alive connections, one request in flight on each. */
async function generate(
  url: string,
  connections: number,
  seconds: number,
  folder: string,
  paths: readonly string[],
): Promise<LoadResult> {
  const bodies = readdirSync(folder)
    .filter((name) => name.startsWith('body-'))
    .map((name) => readFileSync(join(folder, name)));
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const latenciesUs: number[] = [];
  let failures = 0;
  let next = 0;
  const started = performance.now();
  const one = (body: Buffer) =>
    new Promise<void>((resolve) => {
      const sent = performance.now();
      const fail = () => {
        failures++;
        resolve();
      };
      const path = paths[next % paths.length];
      const req = request(
        path === undefined ? url : url + path,
        path === undefined
          ? { method: 'POST', agent, headers: { 'Content-Length': body.length } }
          : { agent, headers: { 'Accept-Encoding': 'gzip' } },
        (res) => {
          if (res.statusCode !== 200) failures++;
          res.on('error', fail).on('end', () => {
            latenciesUs.push((performance.now() - sent) * 1000);
            resolve();
          });
          res.resume();
        },
      );
      req.on('error', fail).end(path === undefined ? body : undefined);
    });
  const loop = async () => {
    while (performance.now() - started < seconds * 1000) await one(bodies[next++ % bodies.length]!);
  };
  await Promise.all(Array.from({ length: connections }, loop));
  agent.destroy();
  latenciesUs.sort((a, b) => a - b);
  const at = (share: number) => latenciesUs[Math.floor(latenciesUs.length * share)] ?? 0;
  const elapsed = (performance.now() - started) / 1000;
  return { requests: latenciesUs.length, seconds: elapsed, failures, p50Us: at(0.5), p99Us: at(0.99) };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [url = '', connections, seconds, folder = '', ...paths] = process.argv.slice(2);
  process.stdout.write(
    `RESULT ${JSON.stringify(await generate(url, Number(connections), Number(seconds), folder, paths))}\n`,
  );
}
