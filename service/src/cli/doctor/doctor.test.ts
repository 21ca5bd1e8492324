import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, it } from 'node:test';
import { checkDevices } from './device-checks.ts';
import { checkHost } from './host-checks.ts';
import type { Finding, Machine } from './machine.ts';

const folders: string[] = [];
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

/** A machine whose /sys, /proc and /dev hold these files. */
function machineWith(files: Record<string, string>, over: Partial<Machine> = {}): Machine {
  const root = mkdtempSync(join(tmpdir(), 'warpdrive-doctor-'));
  folders.push(root);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return {
    root,
    platform: 'linux',
    node: 'v20.19.0',
    uid: 4242,
    gids: [4242],
    cpus: 4,
    runFolder: '/run/warpdrive',
    listenError: async () => undefined,
    connectError: async () => undefined,
    ...over,
  };
}

const ZIP = {
  'sys/class/uacce/hisi_zip-0/flags': '1\n',
  'sys/class/uacce/hisi_zip-0/api': 'hisi_qm_v3\n',
  'sys/class/uacce/hisi_zip-0/algorithms': 'zlib\ngzip\ndeflate\n',
  'sys/class/uacce/hisi_zip-0/available_instances': '64\n',
  'sys/class/uacce/hisi_zip-0/isolate': '0\n',
  'sys/class/iommu/smmu3.0x148000000/name': '',
  'sys/module/uacce/x': '',
  'sys/module/hisi_qm/x': '',
  'sys/module/hisi_zip/x': '',
  'dev/hisi_zip-0': '',
};
const find = (findings: readonly Finding[], check: string): Finding => {
  const found = findings.find((finding) => finding.check === check);
  assert.ok(found, `${check} in ${JSON.stringify(findings)}`);
  assert.equal(found.fix === undefined, found.level === 'ok', 'a fix for all that is not ok');
  return found;
};
const place = { host: '127.0.0.1', port: 8080 };

describe('checkDevices', () => {
  it('is content without a board, because the emulator serves', () => {
    assert.deepEqual(
      checkDevices(machineWith({})).map(({ level }) => level),
      ['ok'],
    );
  });

  it('is content with a usable device, an IOMMU and the modules', () => {
    const machine = machineWith(ZIP);
    chmodSync(join(machine.root, 'dev/hisi_zip-0'), 0o666);
    const findings = checkDevices(machine);
    assert.deepEqual(new Set(findings.map(({ level }) => level)), new Set(['ok']));
    assert.match(
      find(findings, 'device hisi_zip-0').detail,
      /hisi_qm_v3, SVA, zlib, gzip, deflate, 64 queues free/,
    );
  });

  it('names errno 13 with the group and udev recipe', () => {
    const machine = machineWith(ZIP);
    chmodSync(join(machine.root, 'dev/hisi_zip-0'), 0o600);
    const finding = find(checkDevices({ ...machine, uid: 999_999 }), 'device hisi_zip-0');
    assert.equal(finding.level, 'fail');
    assert.match(finding.detail, /permission denied \(errno 13\)/);
    assert.match(finding.fix ?? '', /usermod -aG uacce .*udev\/rules\.d.*udevadm/);
  });

  it('tells a missing node, taken queues, isolation, missing SVA, a missing IOMMU and passthrough apart', () => {
    const without = (...paths: string[]) =>
      Object.fromEntries(Object.entries(ZIP).filter(([path]) => !paths.includes(path)));
    const root = { uid: 0 };
    const at = (files: Record<string, string>, check: string) =>
      find(checkDevices(machineWith(files, root)), check);
    assert.match(at(without('dev/hisi_zip-0'), 'device hisi_zip-0').detail, /\/dev\/hisi_zip-0 is not there/);
    const attribute = (name: string, value: string) => ({
      ...ZIP,
      [`sys/class/uacce/hisi_zip-0/${name}`]: value,
    });
    assert.match(
      at(attribute('available_instances', '0'), 'device hisi_zip-0').detail,
      /all queues are taken/,
    );
    assert.equal(at(attribute('isolate', '1'), 'device hisi_zip-0').level, 'fail');
    assert.match(at(attribute('flags', '0'), 'device hisi_zip-0').detail, /no SVA/);
    assert.equal(at(without('sys/class/iommu/smmu3.0x148000000/name'), 'iommu').level, 'fail');
    assert.match(
      at({ ...ZIP, 'proc/cmdline': 'ro iommu.passthrough=1' }, 'iommu').detail,
      /iommu\.passthrough=1/,
    );
    assert.match(at(without('sys/module/hisi_qm/x'), 'modules').fix ?? '', /modprobe hisi_qm/);
  });

  it('finds a board whose driver is missing or loaded in the wrong mode', () => {
    const board = {
      'sys/bus/pci/devices/0000:75:00.0/vendor': '0x19e5',
      'sys/bus/pci/devices/0000:75:00.0/device': '0xa250',
    };
    assert.match(find(checkDevices(machineWith(board)), 'device').detail, /hisi_zip is not loaded/);
    const wrong = { ...board, 'sys/module/hisi_zip/parameters/uacce_mode': '0' };
    assert.match(find(checkDevices(machineWith(wrong)), 'device').detail, /uacce_mode=0/);
  });
});

describe('checkHost', () => {
  it('is content with a machine that has everything', async () => {
    const machine = machineWith({
      'usr/lib/x86_64-linux-gnu/libisal.so.2': '',
      'proc/meminfo': 'MemAvailable: 2000000 kB',
    });
    const findings = await checkHost(machine, place);
    assert.deepEqual(
      findings.filter(({ level }) => level !== 'ok'),
      [],
    );
  });

  it('names the process that has the port', async () => {
    const table =
      '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n' +
      '   0: 0100007F:1F90 00000000:0000 01 00000000:00000000 00:00000000 00000000     0        0 111 1\n' +
      '   1: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 222 1\n';
    const files = {
      'proc/net/tcp': table,
      'proc/41/fd/x': '',
      'proc/42/comm': 'nginx\n',
      'proc/42/fd/x': '',
    };
    const machine = machineWith(files, { listenError: async () => 'EADDRINUSE' });
    const port = async () => find(await checkHost(machine, place), 'port 8080');
    symlinkSync('socket:[111]', join(machine.root, 'proc/41/fd/3'));
    assert.match((await port()).detail, /^a process that this user may not see listens/);
    symlinkSync('socket:[222]', join(machine.root, 'proc/42/fd/7'));
    const finding = await port();
    assert.match(finding.detail, /^nginx \(process 42\) listens on 127\.0\.0\.1:8080/);
    assert.match(finding.fix ?? '', /--port 8081, or kill 42$/);
  });

  it('finds what is too old, too small, missing or taken, each with its fix', async () => {
    const files = {
      'sys/fs/cgroup/cpu.max': '150000 100000\n',
      'sys/fs/cgroup/memory.max': '104857600\n',
      'proc/self/limits':
        'Limit  Soft  Hard  Units\nMax open files            1024                 4096                 files\n',
      'proc/sys/kernel/yama/ptrace_scope': '3\n',
      'run/warpdrive/attach.sock': '',
    };
    const machine = machineWith(files, {
      node: 'v20.18.1',
      listenError: async () => 'EADDRINUSE',
      connectError: async () => 'EACCES',
    });
    const findings = await checkHost(machine, place);
    assert.equal(find(findings, 'node').level, 'fail');
    assert.match(find(findings, 'isal').fix ?? '', /apt-get install libisal2/);
    assert.match(find(findings, 'cpus').fix ?? '', /--cores 1$/);
    assert.match(find(findings, 'memory').detail, /100 MiB/);
    assert.match(find(findings, 'open files').detail, /1024/);
    assert.match(find(findings, 'port 8080').fix ?? '', /--port 8081/);
    assert.match(find(findings, 'attach socket').detail, /EACCES/);
    assert.match(find(findings, 'ptrace').detail, /is 3/);
  });
});
