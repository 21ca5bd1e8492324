import { Files, type Finding, type Machine } from './machine.ts';

/** Huawei's ZIP engine, physical and virtual function: drivers/crypto/hisilicon/zip/zip_main.c. */
const PCI_VENDOR = '0x19e5';
const PCI_DEVICES = ['0xa250', '0xa251'];
/** include/uapi/misc/uacce/uacce.h, UACCE_DEV_SVA. */
const FLAG_SVA = 1;
const MODULES = ['uacce', 'hisi_qm', 'hisi_zip'];
const UDEV_RECIPE =
  'sudo groupadd -f uacce && sudo usermod -aG uacce "$USER" && ' +
  'echo \'SUBSYSTEM=="uacce", GROUP="uacce", MODE="0660"\' | sudo tee /etc/udev/rules.d/60-uacce.rules && ' +
  'sudo udevadm control --reload && sudo udevadm trigger --subsystem-match=uacce; then log in again';
const UACCE_MODE_RECIPE =
  'echo options hisi_zip uacce_mode=1 | sudo tee /etc/modprobe.d/hisi_zip.conf && ' +
  'sudo modprobe -r hisi_zip && sudo modprobe hisi_zip';

/** Real ZIP engines: hardware, driver, nodes, permissions, IOMMU. Without a board all of it is ok: the emulator serves. */
export function checkDevices(machine: Machine): Finding[] {
  const files = new Files(machine.root);
  const devices = files.names('sys/class/uacce');
  if (devices.length > 0)
    return [
      ...devices.flatMap((name) => checkDevice(name, files, machine)),
      checkIommu(files),
      checkModules(files),
    ];
  const boards = files
    .names('sys/bus/pci/devices')
    .filter(
      (bdf) =>
        files.text(`sys/bus/pci/devices/${bdf}/vendor`) === PCI_VENDOR &&
        PCI_DEVICES.includes(files.text(`sys/bus/pci/devices/${bdf}/device`) ?? ''),
    );
  if (boards.length === 0)
    return [
      { check: 'device', level: 'ok', detail: 'no ZIP engine in this machine: the emulated one serves' },
    ];
  const where = `ZIP engine at ${boards.join(', ')}`;
  if (!files.has('sys/module/hisi_zip'))
    return [
      {
        check: 'device',
        level: 'fail',
        detail: `${where}, but the driver hisi_zip is not loaded`,
        fix: `${UACCE_MODE_RECIPE} ("No such device": look for the licence and the BIOS version; see docs/operations.md)`,
      },
    ];
  const mode = files.text('sys/module/hisi_zip/parameters/uacce_mode') ?? '0';
  return [
    {
      check: 'device',
      level: 'fail',
      detail: `${where}, driver loaded with uacce_mode=${mode}, but no node in /sys/class/uacce`,
      fix: UACCE_MODE_RECIPE,
    },
    checkIommu(files),
  ];
}

function checkDevice(name: string, files: Files, { uid, gids }: Machine): Finding[] {
  const check = `device ${name}`;
  const attribute = (file: string): string | undefined => files.text(`sys/class/uacce/${name}/${file}`);
  const findings: Finding[] = [];
  const isUsable = files.isUsable(`dev/${name}`, uid, gids);
  if (isUsable === undefined)
    findings.push({
      check,
      level: 'fail',
      detail: `/dev/${name} is not there although the kernel knows the device`,
      fix: `sudo udevadm trigger --subsystem-match=uacce; in a container: --device /dev/${name}`,
    });
  else if (!isUsable)
    findings.push({
      check,
      level: 'fail',
      detail: `/dev/${name}: permission denied (errno 13) for uid ${uid}`,
      fix: UDEV_RECIPE,
    });
  const free = Number(attribute('available_instances') ?? Number.NaN);
  if (free === 0)
    findings.push({
      check,
      level: 'warn',
      detail: 'all queues are taken (EBUSY, "send is err(-16)")',
      fix: `sudo fuser -v /dev/${name} shows by whom`,
    });
  if (attribute('isolate') === '1')
    findings.push({
      check,
      level: 'fail',
      detail: 'isolated by the kernel after hardware errors',
      fix: 'sudo modprobe -r hisi_zip && sudo modprobe hisi_zip; read dmesg for the cause',
    });
  const flags = Number(attribute('flags') ?? 0);
  if ((flags & FLAG_SVA) === 0)
    findings.push({
      check,
      level: 'warn',
      detail: `no SVA (flags ${flags}): buffers must be reserved and copied`,
      fix: 'turn on SMMU in the BIOS, boot a kernel with CONFIG_IOMMU_SVA, and load hisi_zip with uacce_mode=1',
    });
  if (findings.length > 0) return findings;
  const algorithms = attribute('algorithms')?.split('\n').join(', ') ?? 'unknown algorithms';
  return [
    {
      check,
      level: 'ok',
      detail: `${attribute('api') ?? 'unknown API'}, SVA, ${algorithms}, ${Number.isNaN(free) ? '?' : free} queues free; this release still serves by the emulator`,
    },
  ];
}

function checkIommu(files: Files): Finding {
  const commandLine = files.text('proc/cmdline') ?? '';
  const bypass =
    /\b(iommu\.passthrough=1|iommu=(pt|off)|arm-smmu-v3\.disable_bypass=0|intel_iommu=off)\b/.exec(
      commandLine,
    );
  const fix = 'turn on SMMU in the BIOS, remove passthrough from the kernel command line, and reboot';
  if (files.names('sys/class/iommu').length === 0)
    return { check: 'iommu', level: 'fail', detail: 'no IOMMU: SVA is not possible', fix };
  if (bypass !== null)
    return { check: 'iommu', level: 'warn', detail: `the kernel was started with ${bypass[0]}`, fix };
  return { check: 'iommu', level: 'ok', detail: `${files.names('sys/class/iommu').join(', ')}` };
}

function checkModules(files: Files): Finding {
  const missing = MODULES.filter((name) => !files.has(`sys/module/${name}`));
  if (missing.length === 0) return { check: 'modules', level: 'ok', detail: MODULES.join(', ') };
  return {
    check: 'modules',
    level: 'warn',
    detail: `not loaded, unless built in: ${missing.join(', ')}`,
    fix: `sudo modprobe ${missing.join(' ')}`,
  };
}
